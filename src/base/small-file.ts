import { type FileSystem, unlinkIfThere, writeFully } from './file-system.ts';
import { systemErrorCode } from './storage-error.ts';

/**
 * Reads a whole file of at most `maxBytes`; `undefined` when it is not there. A longer one is cut off at one byte more
 * than the limit, so that the caller's parser rejects it.
 */
export async function readSmallFile(
  files: FileSystem,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  let file;
  try {
    file = await files.open(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, maxBytes + 1));
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

export interface NewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/** Creates a file (EEXIST when it is there) whose bytes are on disk when it resolves; leaves none when it rejects. */
export async function writeNewFile(files: FileSystem, { path, bytes, mode }: NewFile): Promise<void> {
  const file = await files.open(path, 'wx', mode);
  try {
    try {
      await writeFully(file, [bytes], 0);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // The first failure is what the caller must hear; a temporary file that stays is removed at the next opening.
    await unlinkIfThere(files, path).catch(() => false);
    throw error;
  }
}

/**
 * Creates or replaces a file: whoever reads sees the old bytes or the new ones, also after a power loss, because the
 * bytes are on disk before the name is. That the new ones survive takes a sync of the folder too, left to the caller.
 * `tempPath` is a name on the same file system that nothing else uses.
 */
export async function replaceSmallFile(files: FileSystem, file: NewFile, tempPath: string): Promise<void> {
  await writeNewFile(files, { ...file, path: tempPath });
  try {
    await files.rename(tempPath, file.path);
  } catch (error) {
    await unlinkIfThere(files, tempPath).catch(() => false); // as above
    throw error;
  }
}
