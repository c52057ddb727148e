import { closeSync, openSync, readSync } from 'node:fs';

/** What configuration is read from besides flags. */
export interface ConfigIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative paths start here. */
  readonly workingDirectory: string;
  /** UTF-8 text of a file of at most `maxFileBytes`. Throws an Error that says what is wrong. */
  readText(path: string): string;
}

export const maxFileBytes = 1024 * 1024;

/** The only place where the project reads the process's environment. */
export function processConfigIo(): ConfigIo {
  return { env: process.env, workingDirectory: process.cwd(), readText: readSmallFile };
}

function readSmallFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    // Read by hand and not by size: sizes of pipes and of files under /proc are zero.
    const buffer = Buffer.alloc(maxFileBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const count = readSync(file, buffer, length, buffer.length - length, null);
      if (count === 0) return buffer.toString('utf8', 0, length);
      length += count;
    }
    throw new Error(`larger than ${maxFileBytes} bytes`);
  } finally {
    closeSync(file);
  }
}

/** What to tell a person about a failed read: the system's code explained, without the path, which is shown beside it. */
export function readFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return error instanceof Error ? error.message : String(error);
}
