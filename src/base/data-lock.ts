import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DataFolderError } from './data-folder-error.ts';
import { type FileSystem, unlinkIfThere } from './file-system.ts';
import { readSmallFile, replaceSmallFile } from './small-file.ts';

/**
 * Lets one process at a time use a data folder.
 *
 * The lock is the kernel's own (fcntl, taken through SQLite on an empty `lock.db`, because Node has no call for it).
 * It ends with the process, however that ends: nothing is stale after a kill, a reboot or a reused pid, nothing has to
 * be taken over, and it holds between containers that share the folder but see each other's pids not. The file `LOCK`
 * beside it only tells people who has it.
 */
export class DataLock {
  readonly #files: FileSystem;
  readonly #holderPath: string;
  readonly #database: DatabaseSync;

  private constructor(files: FileSystem, holderPath: string, database: DatabaseSync) {
    this.#files = files;
    this.#holderPath = holderPath;
    this.#database = database;
  }

  /** Fails with DataFolderError `DATA_FOLDER_LOCKED`, which names the holder, and with the system's errors. */
  static async acquire(files: FileSystem, folder: string): Promise<DataLock> {
    const holderPath = join(folder, 'LOCK');
    const database = lockedDatabase(join(folder, 'lock.db'));
    if (database === undefined) {
      const holder = await describeHolder(files, holderPath);
      throw new DataFolderError('DATA_FOLDER_LOCKED', `${folder} is in use by ${holder}`);
    }
    const lock = new DataLock(files, holderPath, database);
    try {
      const bytes = Buffer.from(`${process.pid} ${hostname()}\n`);
      await unlinkIfThere(files, `${holderPath}.temp`);
      await replaceSmallFile(files, { path: holderPath, bytes, mode: 0o600 }, `${holderPath}.temp`);
    } catch (error) {
      database.close();
      throw error;
    }
    return lock;
  }

  /** May be called more than once. */
  async release(): Promise<void> {
    if (!this.#database.isOpen) return;
    try {
      await unlinkIfThere(this.#files, this.#holderPath);
    } finally {
      if (this.#database.isOpen) this.#database.close();
    }
  }
}

const sqliteBusy = 5;

/** The open database is the lock. `undefined` when another process, or another caller in this one, has it. */
function lockedDatabase(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined;
    throw error;
  }
}

const maxHolderBytes = 1024;

/** Absent or torn only in the instant after the other process took the lock. */
async function describeHolder(files: FileSystem, path: string): Promise<string> {
  try {
    const bytes = await readSmallFile(files, path, maxHolderBytes);
    const [pid, host, ...more] = Buffer.from(bytes ?? [])
      .toString('utf8')
      .trimEnd()
      .split(' ');
    if (pid !== undefined && host !== undefined && more.length === 0) return `process ${pid} on host ${host}`;
  } catch {
    // The lock itself is certain; who has it is only told when it can be.
  }
  return 'another process';
}
