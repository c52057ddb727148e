import { join } from 'node:path';
import { DataFolderError } from './data-folder-error.ts';
import { DataLock } from './data-lock.ts';
import { type FileSystem, makeFolder, syncFolder, unlinkIfThere } from './file-system.ts';
import { readSmallFile, replaceSmallFile } from './small-file.ts';

/** Brings a data folder from one format version to the next. Runs again after a crash: so it must stand that. */
export type DataMigration = (folder: string) => Promise<void>;

export interface DataFolderOptions {
  readonly path: string;
  /** The first one migrates version 1 to version 2. The version that this program writes is one more than there are. */
  readonly migrations: readonly DataMigration[];
  readonly files: FileSystem;
}

/** The migrations of this release. */
export const dataMigrations: readonly DataMigration[] = [];

/**
 * A data directory that belongs to this process until it is released.
 *
 *     <path>/         0700 when made here
 *       FORMAT        version of the layout, a decimal number and a newline
 *       LOCK          who has it, for people
 *       lock.db       the lock
 *
 * What else lies in it is the affair of those who store there.
 */
export class DataFolder {
  readonly path: string;
  readonly #lock: DataLock;

  private constructor(path: string, lock: DataLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** Makes it when absent, locks it, migrates it. Fails with DataFolderError; then it is not locked. */
  static async open(options: DataFolderOptions): Promise<DataFolder> {
    const { path, files } = options;
    try {
      await makeFolder(files, path);
      const lock = await DataLock.acquire(files, path);
      try {
        await bringUpToDate(options);
      } catch (error) {
        await lock.release().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
      return new DataFolder(path, lock);
    } catch (error) {
      if (error instanceof DataFolderError) throw error;
      throw new DataFolderError('DATA_FOLDER_UNUSABLE', `cannot use ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Lets another process have it. May be called more than once. */
  async release(): Promise<void> {
    await this.#lock.release();
  }
}

async function bringUpToDate({ path, migrations, files }: DataFolderOptions): Promise<void> {
  const supported = migrations.length + 1;
  const found = await readVersion(files, path);
  if (found !== undefined && found > supported) {
    throw new DataFolderError(
      'DATA_FOLDER_NEWER',
      `${path} has format version ${found}, written by a newer release; this one knows versions up to ${supported}`,
    );
  }
  if (found === undefined) await writeVersion(files, path, supported);
  for (const [index, migrate] of migrations.entries()) {
    const from = index + 1;
    if (found === undefined || from < found) continue;
    await migrate(path);
    await writeVersion(files, path, from + 1);
  }
}

const maxFormatBytes = 16;

async function readVersion(files: FileSystem, folder: string): Promise<number | undefined> {
  const bytes = await readSmallFile(files, join(folder, 'FORMAT'), maxFormatBytes);
  if (bytes === undefined) return undefined;
  const text = Buffer.from(bytes).toString('utf8');
  if (/^[1-9][0-9]{0,8}\n?$/.test(text)) return Number(text);
  throw new DataFolderError('DATA_FOLDER_UNUSABLE', `${folder}/FORMAT does not hold a version number`);
}

async function writeVersion(files: FileSystem, folder: string, version: number): Promise<void> {
  const path = join(folder, 'FORMAT');
  await unlinkIfThere(files, `${path}.temp`);
  await replaceSmallFile(files, { path, bytes: Buffer.from(`${version}\n`), mode: 0o600 }, `${path}.temp`);
  await syncFolder(files, folder);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
