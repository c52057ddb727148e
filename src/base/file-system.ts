import { dirname, resolve } from 'node:path';
import { systemErrorCode } from './storage-error.ts';

/**
 * The file-system calls that stores make, each failing with the system's own error (`code` is the errno's name).
 * Passed in, so that tests make any call fail and see the order of writes, syncs and renames.
 */
export interface FileSystem {
  open(path: string, flags: string | number, mode?: number): Promise<DiskFile>;
  /** Where `recursive`: answers the first folder that it had to make, `undefined` when all were there. */
  mkdir(
    path: string,
    options: { readonly mode: number; readonly recursive?: boolean },
  ): Promise<string | undefined>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  stat(path: string): Promise<DiskStat>;
  statfs(path: string): Promise<DiskSpaceStat>;
  /** The iteration closes the folder when it ends, early or not. */
  opendir(path: string): Promise<AsyncIterable<DiskEntry>>;
}

/** An open file or folder. `close` waits for the calls that are under way. */
export interface DiskFile {
  read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  /** May write less than asked. */
  writev(chunks: readonly Uint8Array[], position: number): Promise<{ readonly bytesWritten: number }>;
  stat(): Promise<DiskStat>;
  truncate(length: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface DiskStat {
  readonly size: number;
  /** In units of 512 bytes, whatever the file system's block size: what the file really takes. */
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
}

export interface DiskSpaceStat {
  readonly bsize: number;
  readonly blocks: number;
  /** Free for us, the part reserved for the superuser not counted. */
  readonly bavail: number;
}

export interface DiskEntry {
  readonly name: string;
  isDirectory(): boolean;
}

/** Makes the folder's entries survive a power loss: a rename or a new file counts only after this. */
export async function syncFolder(files: FileSystem, path: string): Promise<void> {
  const folder = await files.open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder of mode 0700 where there is none, parents included, so that it survives a power loss. */
export async function makeFolder(files: FileSystem, path: string): Promise<void> {
  const first = await makeMissing(files, resolve(path));
  if (first === undefined) return;
  for (let folder = resolve(path); folder.length >= first.length; folder = dirname(folder)) {
    await syncFolder(files, dirname(folder));
  }
}

/**
 * Answers the topmost folder that it had to make. Parents are made one by one: node's own recursion never ends where a
 * file system says of a folder that its parent is missing although it is there, as /proc does.
 */
async function makeMissing(files: FileSystem, folder: string): Promise<string | undefined> {
  try {
    await files.mkdir(folder, { mode: 0o700 });
    return folder;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return undefined;
    if (systemErrorCode(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
  }
  const first = await makeMissing(files, dirname(folder));
  await files.mkdir(folder, { mode: 0o700 });
  return first ?? folder;
}

/** Writes all chunks, one behind the other, from `position` on. */
export async function writeFully(
  file: DiskFile,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let left = chunks.filter((chunk) => chunk.length > 0);
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left, at);
    at += bytesWritten;
    left = withoutFirst(left, bytesWritten);
  }
}

function withoutFirst(chunks: readonly Uint8Array[], byteCount: number): Uint8Array[] {
  let skip = byteCount;
  const left: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (skip >= chunk.length) skip -= chunk.length;
    else {
      left.push(skip === 0 ? chunk : chunk.subarray(skip));
      skip = 0;
    }
  }
  return left;
}

/** Removes a file; one that is not there is fine, and the answer says so. */
export async function unlinkIfThere(files: FileSystem, path: string): Promise<boolean> {
  try {
    await files.unlink(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
