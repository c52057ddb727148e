import { dirname, join } from 'node:path';
import { type DiskEntry, type FileSystem, makeFolder, unlinkIfThere } from '../base/file-system.ts';
import { Limiter } from '../base/limiter.ts';
import type { Logger } from '../base/logger.ts';
import { readSmallFile, replaceSmallFile } from '../base/small-file.ts';
import { storageErrorFrom, systemErrorCode } from '../base/storage-error.ts';
import { RepositoryLayout } from './repository-layout.ts';

/** A record is a digest, a number, and a media type, which came as a header field: those take at most 16 KiB. */
const maxRecordBytes = 32_768;

export interface RepositoryRecordsOptions {
  /** Made when absent; may be shared with a blob store. One process at a time. */
  readonly root: string;
  /** At most this many records are read or written at once; the others wait. */
  readonly maxOpenFiles: number;
  /** More waiting than this fail with OverloadedError at once. */
  readonly maxWaiting: number;
  readonly files: FileSystem;
  readonly logger: Logger;
}

/** Small JSON files, replaced as a whole: what tags and revisions are kept in. */
export class RepositoryRecords {
  readonly layout: RepositoryLayout;
  readonly #options: RepositoryRecordsOptions;
  readonly #limiter: Limiter;
  #tempSerial = 0;

  private constructor(options: RepositoryRecordsOptions) {
    this.layout = new RepositoryLayout(options.root);
    this.#options = options;
    const { maxOpenFiles, maxWaiting } = options;
    this.#limiter = new Limiter({ name: 'records', concurrency: maxOpenFiles, maxQueued: maxWaiting });
  }

  /** Makes the folders and removes what a crash left half-written. Looks at no record. Fails with StorageError. */
  static async open(options: RepositoryRecordsOptions): Promise<RepositoryRecords> {
    const records = new RepositoryRecords(options);
    const { files } = options;
    const { folders, temp } = records.layout;
    try {
      for (const folder of folders) await makeFolder(files, folder);
      for await (const { name } of await files.opendir(temp)) await unlinkIfThere(files, join(temp, name));
    } catch (error) {
      throw storageErrorFrom(error, 'open the tag store');
    }
    return records;
  }

  /**
   * A record that can't be read or is malformed is logged and counts as absent: all of them can be had again from the
   * upstream, and a bad sector under one tag must not end a pull. Fails with OverloadedError only.
   */
  async read<T>(path: string, parse: (value: unknown) => T | undefined): Promise<T | undefined> {
    return this.#limiter.run(async () => {
      try {
        const bytes = await readSmallFile(this.#options.files, path, maxRecordBytes);
        if (bytes === undefined) return undefined;
        const record = parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
        if (record === undefined) this.#options.logger.warn('malformed record taken as absent', { path });
        return record;
      } catch (error) {
        // A file where the path has a folder, or a folder where it has the file, is a record too that can't be read.
        this.#options.logger.warn('unreadable record taken as absent', { path, error });
        return undefined;
      }
    });
  }

  /** Atomic, also over a power loss; the newest value may be lost by one. Fails with StorageError, StorageFullError. */
  async write(path: string, value: unknown): Promise<void> {
    await this.#limiter.run(async () => {
      const file = { path, bytes: Buffer.from(JSON.stringify(value)), mode: 0o600 };
      try {
        await this.#replace(file);
      } catch (error) {
        throw storageErrorFrom(error, 'write a record');
      }
    });
  }

  /** Absent is fine. Fails with StorageError. */
  async remove(path: string): Promise<void> {
    await this.#limiter.run(async () => {
      try {
        await unlinkIfThere(this.#options.files, path);
      } catch (error) {
        throw storageErrorFrom(error, 'remove a record');
      }
    });
  }

  /**
   * Paths of all files below `repositories`, relative to it, the folder `.temp` left out. Holds the folders that are
   * still to be visited in memory, and one folder open. Fails with StorageError.
   */
  async *walk(): AsyncGenerator<string> {
    const waiting = [''];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      try {
        for await (const entry of await this.#options.files.opendir(join(this.layout.repositories, folder))) {
          const path = join(folder, entry.name);
          if (!entry.isDirectory()) yield path;
          else if (path !== '.temp') waiting.push(path);
        }
      } catch (error) {
        throw storageErrorFrom(error, 'list records');
      }
    }
  }

  /**
   * Folders below `repositories` whose name begins with an underscore, as paths relative to it, without looking into
   * them. Fails with StorageError.
   */
  async *specialFolders(): AsyncGenerator<string> {
    const waiting = [''];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      for await (const entry of this.#entries(join(this.layout.repositories, folder))) {
        if (!entry.isDirectory()) continue;
        const path = join(folder, entry.name);
        if (entry.name.startsWith('_')) yield path;
        else if (path !== '.temp') waiting.push(path);
      }
    }
  }

  /** Names of the files in one folder; none where it is absent. Fails with StorageError. */
  async *filesIn(folder: string): AsyncGenerator<string> {
    for await (const entry of this.#entries(folder)) if (!entry.isDirectory()) yield entry.name;
  }

  async *#entries(folder: string): AsyncGenerator<DiskEntry> {
    try {
      yield* await this.#options.files.opendir(folder);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw storageErrorFrom(error, 'list records');
    }
  }

  async #replace(file: { path: string; bytes: Uint8Array; mode: number }): Promise<void> {
    const { files } = this.#options;
    this.#tempSerial += 1;
    const tempPath = this.layout.tempFile(this.#tempSerial);
    try {
      await replaceSmallFile(files, file, tempPath);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      await files.mkdir(dirname(file.path), { mode: 0o700, recursive: true });
      await replaceSmallFile(files, file, tempPath);
    }
  }
}
