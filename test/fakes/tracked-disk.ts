import { nodeDiskFiles } from '../../src/base/disk-files.ts';
import type { DiskFile, FileSystem } from '../../src/base/file-system.ts';

export interface TrackedDisk extends FileSystem {
  /** Files and folders that were opened and not closed, with the path that was asked for. */
  readonly openFiles: ReadonlyMap<DiskFile, string>;
  /** For a test that simulates a crash and leaves handles behind. */
  closeAll(): Promise<void>;
}

/** The real file system, with an account of what is open. */
export function trackedDisk(): TrackedDisk {
  const openFiles = new Map<DiskFile, string>();
  return {
    ...nodeDiskFiles,
    openFiles,
    open: async (path, flags, mode) => {
      const file = await nodeDiskFiles.open(path, flags, mode);
      const close = file.close.bind(file);
      openFiles.set(file, path);
      return Object.assign(file, {
        close: async () => {
          await close();
          openFiles.delete(file);
        },
      });
    },
    closeAll: async () => {
      await Promise.all([...openFiles.keys()].map((file) => file.close()));
    },
  };
}
