import type { FileSystem } from '../../src/base/file-system.ts';

/** Hears the name of a call, and the path that the file was opened by or the name that a rename gives. May throw, or wait. */
export type DiskObserver = (call: string, path: string) => void | Promise<void>;

/** Calls `observe` ahead of every call that `files` gets; what it throws is the call's failure. */
export function observedDisk(files: FileSystem, observe: DiskObserver): FileSystem {
  const before = async <T>(call: string, path: string, run: () => Promise<T>): Promise<T> => {
    await observe(call, path);
    return run();
  };
  return {
    mkdir: (path, options) => before('mkdir', path, () => files.mkdir(path, options)),
    rename: (from, to) => before('rename', to, () => files.rename(from, to)),
    unlink: (path) => before('unlink', path, () => files.unlink(path)),
    stat: (path) => before('stat', path, () => files.stat(path)),
    statfs: (path) => before('statfs', path, () => files.statfs(path)),
    opendir: (path) => before('opendir', path, () => files.opendir(path)),
    open: async (path, flags, mode) => {
      const file = await before('open', path, () => files.open(path, flags, mode));
      return {
        read: (into, offset, length, position) =>
          before('read', path, () => file.read(into, offset, length, position)),
        writev: (chunks, position) => before('writev', path, () => file.writev(chunks, position)),
        stat: () => before('fstat', path, () => file.stat()),
        truncate: (length) => before('truncate', path, () => file.truncate(length)),
        chmod: (fileMode) => before('chmod', path, () => file.chmod(fileMode)),
        datasync: () => before('datasync', path, () => file.datasync()),
        sync: () => before('sync', path, () => file.sync()),
        close: () => before('close', path, () => file.close()),
      };
    },
  };
}
