import assert from 'node:assert/strict';
import type { Clock } from '../base/clock.ts';
import { StorageFullError } from '../base/storage-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobEntry, BlobStat, BlobStore, PartialBlob } from './blob-store.ts';
import type { ByteSource } from './byte-source.ts';
import { MemoryByteSource } from './memory-byte-source.ts';
import { type MemoryPartial, MemoryPartialBlob, type MemoryPartialOwner } from './memory-partial-blob.ts';

export interface MemoryBlobStoreOptions {
  /** Blobs, unfinished ones included, that take more fail with StorageFullError. `Infinity` for no limit. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

interface MemoryBlob {
  readonly bytes: Uint8Array;
  usedAtMs: number;
}

/** The reference adapter: what the ports mean, without a disk. For tests, and for what may vanish with the process. */
export class MemoryBlobStore implements BlobStore {
  readonly #options: MemoryBlobStoreOptions;
  readonly #blobs = new Map<Digest, MemoryBlob>();
  readonly #quarantined = new Map<Digest, Uint8Array>();
  readonly #recorded = new Map<Digest, MemoryPartial>();
  readonly #held = new Set<MemoryPartialBlob>();

  constructor(options: MemoryBlobStoreOptions) {
    this.#options = options;
  }

  /** The store that a process finds that starts after this one was killed: what was committed and checkpointed. */
  afterCrash(): MemoryBlobStore {
    const next = new MemoryBlobStore(this.#options);
    for (const [digest, blob] of this.#blobs) next.#blobs.set(digest, { ...blob });
    for (const [digest, partial] of this.#recorded) next.#recorded.set(digest, partial);
    for (const [digest, bytes] of this.#quarantined) next.#quarantined.set(digest, bytes);
    return next;
  }

  /** The bytes of a blob that was put in quarantine. */
  quarantined(digest: Digest): Uint8Array | undefined {
    return this.#quarantined.get(digest);
  }

  async stat(digest: Digest): Promise<BlobStat | undefined> {
    const blob = this.#blobs.get(digest);
    return blob && { size: blob.bytes.length };
  }

  async open(digest: Digest, start = 0, end?: number): Promise<ByteSource | undefined> {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) return undefined;
    const { length } = blob.bytes;
    const until = end ?? length;
    assert(start >= 0 && start <= until && until <= length, `[${start}, ${until}) of ${length} bytes`);
    blob.usedAtMs = this.#options.clock.nowMs();
    return new MemoryByteSource(blob.bytes.subarray(start, until));
  }

  async openPartial(digest: Digest): Promise<PartialBlob> {
    assert(!this.#isHeld(digest), `${digest} is held already`);
    this.#claim(1); // a full store says so before the first write
    const partial = new MemoryPartialBlob(digest, this.#recorded.get(digest), this.#owner);
    this.#held.add(partial);
    return partial;
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (this.#blobs.get(digest)?.bytes.length === bytes.length) return;
    this.#claim(bytes.length);
    this.#publish(digest, bytes.slice());
  }

  async *list(): AsyncGenerator<BlobEntry> {
    for (const [digest, { bytes, usedAtMs }] of this.#blobs) yield { digest, size: bytes.length, usedAtMs };
  }

  async *listPartials(): AsyncGenerator<BlobEntry> {
    for (const [digest, { present }] of this.#recorded) {
      if (!this.#isHeld(digest)) yield { digest, size: present.totalBytes, usedAtMs: 0 };
    }
  }

  async remove(digest: Digest): Promise<void> {
    this.#blobs.delete(digest);
  }

  async removePartial(digest: Digest): Promise<void> {
    if (!this.#isHeld(digest)) this.#recorded.delete(digest);
  }

  async quarantine(digest: Digest): Promise<void> {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) return;
    this.#quarantined.set(digest, blob.bytes);
    this.#blobs.delete(digest);
  }

  readonly #owner: MemoryPartialOwner = {
    claim: (byteCount) => this.#claim(byteCount),
    record: (digest, partial) => {
      if (partial === undefined) this.#recorded.delete(digest);
      else this.#recorded.set(digest, partial);
    },
    publish: (digest, bytes) => this.#publish(digest, bytes),
    release: (digest) => {
      for (const partial of this.#held) if (partial.digest === digest) this.#held.delete(partial);
    },
  };

  #publish(digest: Digest, bytes: Uint8Array): void {
    this.#blobs.set(digest, { bytes, usedAtMs: this.#options.clock.nowMs() });
  }

  #isHeld(digest: Digest): boolean {
    return [...this.#held].some((partial) => partial.digest === digest);
  }

  #claim(byteCount: number): void {
    let usedBytes = byteCount;
    for (const { bytes } of this.#blobs.values()) usedBytes += bytes.length;
    for (const { present } of this.#held) usedBytes += present.totalBytes;
    for (const [digest, { present }] of this.#recorded) {
      if (!this.#isHeld(digest)) usedBytes += present.totalBytes;
    }
    if (usedBytes > this.#options.maxBytes) {
      throw new StorageFullError(`more than ${this.#options.maxBytes} bytes`);
    }
  }
}
