import assert from 'node:assert/strict';
import {
  type DiskFile,
  type FileSystem,
  syncFolder,
  unlinkIfThere,
  writeFully,
} from '../base/file-system.ts';
import type { RangeSet } from '../base/range-set.ts';
import { replaceSmallFile } from '../base/small-file.ts';
import { StorageError, storageErrorFrom } from '../base/storage-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { PartialBlob } from './blob-store.ts';
import type { DiskLayout } from './disk-layout.ts';
import type { DiskPublisher } from './disk-publisher.ts';
import type { DiskSpace } from './disk-space.ts';
import { formatRangeRecord, type RangeRecord } from './range-record.ts';

export interface DiskPartialBlobOptions {
  readonly files: FileSystem;
  readonly layout: DiskLayout;
  readonly space: DiskSpace;
  readonly publisher: DiskPublisher;
  /** Opened for reading and writing; owned, closed by `close`. */
  readonly file: DiskFile;
  /** What is believed of the file's content. */
  readonly record: RangeRecord;
  /** True when a record of it lies on disk. */
  readonly isRecorded: boolean;
  nextTempPath(): string;
  /** Called once, when another holder may open the digest. */
  onRelease(): void;
}

/**
 * An unfinished blob as a sparse file and a record of which of its bytes count. The record is replaced as a whole and
 * only after the bytes that it claims were synced, so that at any moment it claims less than is on disk, never more.
 * Discarding removes the record first, and for good, before another holder writes to a file of the same name.
 */
export class DiskPartialBlob implements PartialBlob {
  readonly digest: Digest;
  readonly present: RangeSet;
  readonly #options: DiskPartialBlobOptions;
  readonly #writes = new Set<Promise<void>>();
  #size: number | undefined;
  #isRecorded: boolean;
  #isDirty = false;
  #hasEnded = false;
  #isReleased = false;
  #syncFailure: Error | undefined;
  #checkpoint: Promise<void> = Promise.resolve();
  #queuedCheckpoint: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: DiskPartialBlobOptions) {
    this.digest = options.record.digest;
    this.present = options.record.present;
    this.#size = options.record.size;
    this.#isRecorded = options.isRecorded;
    this.#options = options;
  }

  get size(): number | undefined {
    return this.#size;
  }

  set size(value: number | undefined) {
    this.#isDirty ||= value !== this.#size;
    this.#size = value;
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    this.#assertHeld();
    const run = this.#write(chunks, position);
    this.#writes.add(run);
    try {
      await run;
    } catch (error) {
      throw storageErrorFrom(error, 'write to an unfinished blob');
    } finally {
      this.#writes.delete(run);
    }
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    assert(this.#closing === undefined, 'read after close');
    const length = Math.min(into.length, this.present.contiguousEnd(position) - position);
    assert(length > 0, 'a read needs room for at least one byte, and that byte present');
    try {
      const { bytesRead } = await this.#options.file.read(into, 0, length, position);
      if (bytesRead > 0) return bytesRead;
    } catch (error) {
      throw storageErrorFrom(error, 'read from an unfinished blob');
    }
    throw new StorageError(`the file of an unfinished blob ends early, at byte ${position}`);
  }

  /** Calls that come while another one waits for its turn share that one. */
  async checkpoint(): Promise<void> {
    this.#assertHeld();
    this.#queuedCheckpoint ??= this.#queueCheckpoint();
    await this.#queuedCheckpoint;
  }

  async commit(): Promise<void> {
    await this.#end(async () => {
      const { files, layout, publisher, file } = this.#options;
      await this.#sync(() => file.sync());
      await publisher.publish(layout.part(this.digest), this.digest);
      // The blob is published: neither its mode nor a record without a part, removed at the next opening, matters.
      await Promise.allSettled([file.chmod(0o440), unlinkIfThere(files, layout.ranges(this.digest))]);
    });
  }

  async discard(): Promise<void> {
    await this.#end(async () => {
      await this.#removeRecord();
      await unlinkIfThere(this.#options.files, this.#options.layout.part(this.digest));
    });
  }

  async keep(): Promise<void> {
    if (this.present.isEmpty && this.#writes.size === 0) return this.discard();
    await this.#end(() => this.#record());
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    let byteCount = 0;
    for (const chunk of chunks) byteCount += chunk.length;
    await this.#options.space.claim(byteCount);
    await writeFully(this.#options.file, chunks, position);
    this.present.add({ start: position, end: position + byteCount });
    this.#isDirty = true;
  }

  async #queueCheckpoint(): Promise<void> {
    const previous = this.#checkpoint;
    const run = (async () => {
      await previous.catch(() => undefined); // its own caller hears of it
      this.#queuedCheckpoint = undefined;
      await this.#record();
    })();
    this.#checkpoint = run;
    try {
      await run;
    } catch (error) {
      throw storageErrorFrom(error, 'checkpoint an unfinished blob');
    }
  }

  /** Data first, then the record. What is present is looked at before the sync: later bytes may miss it. */
  async #record(): Promise<void> {
    if (!this.#isDirty && this.#isRecorded) return;
    const { files, layout, file } = this.#options;
    const bytes = formatRangeRecord({ digest: this.digest, size: this.#size, present: this.present });
    this.#isDirty = false;
    try {
      await this.#sync(() => file.datasync());
      this.#isRecorded = true;
      const record = { path: layout.ranges(this.digest), bytes, mode: 0o600 };
      await replaceSmallFile(files, record, this.#options.nextTempPath());
      await syncFolder(files, layout.partials);
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
  }

  /**
   * After a failed sync the system may count the lost pages as written, and a second sync succeed: so no sync after it
   * is believed, and the bytes can only be thrown away.
   */
  async #sync(sync: () => Promise<void>): Promise<void> {
    if (this.#syncFailure !== undefined) throw this.#syncFailure;
    try {
      await sync();
    } catch (error) {
      this.#syncFailure = storageErrorFrom(error, 'sync an unfinished blob');
      throw this.#syncFailure;
    }
  }

  async #removeRecord(): Promise<void> {
    if (!this.#isRecorded) return;
    await unlinkIfThere(this.#options.files, this.#options.layout.ranges(this.digest));
    await syncFolder(this.#options.files, this.#options.layout.partials);
    this.#isRecorded = false;
  }

  /** Runs one of the three endings, after the writes and the checkpoint that are under way. */
  async #end(ending: () => Promise<void>): Promise<void> {
    this.#assertHeld();
    this.#hasEnded = true;
    await Promise.allSettled([...this.#writes, this.#checkpoint]);
    try {
      await ending();
    } catch (error) {
      this.#hasEnded = false; // the holder may try another ending
      throw storageErrorFrom(error, 'end an unfinished blob');
    }
    this.#release();
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#writes, this.#checkpoint]);
    this.#release();
    try {
      await this.#options.file.close();
    } catch (error) {
      throw storageErrorFrom(error, 'close an unfinished blob');
    }
  }

  #release(): void {
    if (!this.#isReleased) this.#options.onRelease();
    this.#isReleased = true;
  }

  #assertHeld(): void {
    assert(!this.#hasEnded && this.#closing === undefined, 'the unfinished blob was ended or closed');
  }
}
