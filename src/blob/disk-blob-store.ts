import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { type FileSystem, syncFolder, unlinkIfThere } from '../base/file-system.ts';
import { RangeSet } from '../base/range-set.ts';
import { readSmallFile, writeNewFile } from '../base/small-file.ts';
import { storageErrorFrom, systemErrorCode } from '../base/storage-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobEntry, BlobStat, BlobStore, PartialBlob } from './blob-store.ts';
import type { ByteSource } from './byte-source.ts';
import { DiskByteSource } from './disk-byte-source.ts';
import { DiskLayout } from './disk-layout.ts';
import { DiskPartialBlob } from './disk-partial-blob.ts';
import { DiskPublisher } from './disk-publisher.ts';
import { DiskSpace } from './disk-space.ts';
import { listDiskBlobs, listDiskPartials } from './disk-listing.ts';
import { prepareDiskFolders } from './disk-opening.ts';
import { maxRangeRecordBytes, parseRangeRecord } from './range-record.ts';

export interface DiskBlobStoreOptions {
  /** Made when absent. One process at a time: the caller holds the lock of the data folder. */
  readonly root: string;
  /** Writes fail with StorageFullError that would leave less than this free on the file system; 0 for no check. */
  readonly reserveBytes: number;
  readonly files: FileSystem;
  readonly clock: Clock;
}

/** Blobs as files, in the layout of DiskLayout. All methods fail with StorageError or StorageFullError. */
export class DiskBlobStore implements BlobStore {
  readonly space: DiskSpace;
  readonly #files: FileSystem;
  readonly #layout: DiskLayout;
  readonly #publisher: DiskPublisher;
  readonly #held = new Set<Digest>();
  readonly #removals = new Map<Digest, Promise<void>>();
  readonly #puts = new Map<Digest, Promise<void>>();
  #tempSerial = 0;

  private constructor(options: DiskBlobStoreOptions) {
    const { root, reserveBytes, files, clock } = options;
    this.#files = files;
    this.#layout = new DiskLayout(root);
    this.#publisher = new DiskPublisher(files, this.#layout);
    this.space = new DiskSpace({ files, path: root, reserveBytes, clock });
  }

  /** Makes the folders and removes what a crash left behind. Takes no longer for many blobs than for none. */
  static async open(options: DiskBlobStoreOptions): Promise<DiskBlobStore> {
    const store = new DiskBlobStore(options);
    await guarded('open the blob store', async () => {
      await prepareDiskFolders(store.#files, store.#layout);
    });
    return store;
  }

  async stat(digest: Digest): Promise<BlobStat | undefined> {
    try {
      const { size } = await this.#files.stat(this.#layout.blob(digest));
      return { size };
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw storageErrorFrom(error, 'look for a blob');
    }
  }

  async open(digest: Digest, start = 0, end?: number): Promise<ByteSource | undefined> {
    let file;
    try {
      file = await this.#files.open(this.#layout.blob(digest), 'r');
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw storageErrorFrom(error, 'open a blob');
    }
    try {
      const { size } = await file.stat();
      const until = end ?? size;
      assert(start >= 0 && start <= until && until <= size, `[${start}, ${until}) of ${size} bytes`);
      return new DiskByteSource(file, start, until);
    } catch (error) {
      await file.close().catch(() => undefined); // the first failure is the one to tell
      throw storageErrorFrom(error, 'open a blob');
    }
  }

  async openPartial(digest: Digest): Promise<PartialBlob> {
    assert(!this.#held.has(digest), `${digest} is held already`);
    this.#held.add(digest);
    try {
      await this.#removals.get(digest)?.catch(() => undefined); // whoever removes hears of its failure
      await this.space.claim(0);
      return await this.#openPartial(digest);
    } catch (error) {
      this.#held.delete(digest);
      throw storageErrorFrom(error, 'open an unfinished blob');
    }
  }

  /** Concurrent calls for one digest share one write. */
  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    let run = this.#puts.get(digest);
    if (run === undefined) {
      run = guarded('store a blob', () => this.#put(digest, bytes));
      run = run.finally(() => this.#puts.delete(digest));
      this.#puts.set(digest, run);
    }
    await run;
  }

  async *list(): AsyncGenerator<BlobEntry> {
    yield* listDiskBlobs(this.#files, this.#layout);
  }

  async *listPartials(): AsyncGenerator<BlobEntry> {
    for await (const entry of listDiskPartials(this.#files, this.#layout)) {
      if (!this.#held.has(entry.digest)) yield entry;
    }
  }

  async remove(digest: Digest): Promise<void> {
    await guarded('remove a blob', () => unlinkIfThere(this.#files, this.#layout.blob(digest)));
  }

  /** Does nothing while somebody holds it. */
  async removePartial(digest: Digest): Promise<void> {
    if (this.#held.has(digest)) return;
    let run = this.#removals.get(digest);
    if (run === undefined) {
      run = guarded('remove an unfinished blob', () => this.#removePartial(digest));
      run = run.finally(() => this.#removals.delete(digest));
      this.#removals.set(digest, run);
    }
    await run;
  }

  /** Keeps one damaged copy of a digest, the latest. */
  async quarantine(digest: Digest): Promise<void> {
    await guarded('quarantine a blob', async () => {
      try {
        await this.#files.rename(this.#layout.blob(digest), this.#layout.quarantined(digest));
      } catch (error) {
        if (systemErrorCode(error) === 'ENOENT') return;
        throw error;
      }
      await syncFolder(this.#files, this.#layout.quarantine);
      await syncFolder(this.#files, this.#layout.blobFolder(digest));
    });
  }

  async #openPartial(digest: Digest): Promise<DiskPartialBlob> {
    const flags = constants.O_RDWR | constants.O_CREAT;
    const file = await this.#files.open(this.#layout.part(digest), flags, 0o600);
    try {
      const rangesPath = this.#layout.ranges(digest);
      const recordBytes = await readSmallFile(this.#files, rangesPath, maxRangeRecordBytes);
      const record = recordBytes && parseRangeRecord(recordBytes, digest);
      const { size: fileSize } = await file.stat();
      const isBelieved = record !== undefined && (record.present.spans.at(-1)?.end ?? 0) <= fileSize;
      if (!isBelieved) {
        // The record must be gone for good before the file grows into what it claims.
        if (recordBytes !== undefined) await this.#removeRecord(digest);
        await file.truncate(0);
      }
      return new DiskPartialBlob({
        files: this.#files,
        layout: this.#layout,
        space: this.space,
        publisher: this.#publisher,
        file,
        record: isBelieved ? record : { digest, size: undefined, present: new RangeSet() },
        isRecorded: isBelieved,
        nextTempPath: () => this.#nextTempPath(),
        onRelease: () => this.#held.delete(digest),
      });
    } catch (error) {
      await file.close().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  async #put(digest: Digest, bytes: Uint8Array): Promise<void> {
    await this.#publisher.settled(digest);
    const existing = await this.stat(digest);
    if (existing?.size === bytes.length) return;
    await this.space.claim(bytes.length);
    const path = this.#nextTempPath();
    await writeNewFile(this.#files, { path, bytes, mode: 0o440 });
    try {
      await this.#publisher.publish(path, digest);
    } catch (error) {
      await unlinkIfThere(this.#files, path).catch(() => false); // what stays is removed at the next opening
      throw error;
    }
  }

  async #removePartial(digest: Digest): Promise<void> {
    await this.#removeRecord(digest);
    await unlinkIfThere(this.#files, this.#layout.part(digest));
  }

  async #removeRecord(digest: Digest): Promise<void> {
    const wasThere = await unlinkIfThere(this.#files, this.#layout.ranges(digest));
    if (wasThere) await syncFolder(this.#files, this.#layout.partials);
  }

  #nextTempPath(): string {
    this.#tempSerial += 1;
    return this.#layout.tempFile(this.#tempSerial);
  }
}

async function guarded<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageErrorFrom(error, action);
  }
}
