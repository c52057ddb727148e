import type { BlobStore, PartialBlob } from '../blob/blob-store.ts';
import type { ByteSource } from '../blob/byte-source.ts';
import type { BlobEntry, BlobStat } from '../blob/blob-store.ts';
import type { Digest } from '../oci/digest.ts';

/** A blob store that tells when something leaves it, whoever removes it. */
export class WatchedBlobStore implements BlobStore {
  readonly #store: BlobStore;
  readonly #removed: (digest: Digest) => void;

  constructor(store: BlobStore, removed: (digest: Digest) => void) {
    this.#store = store;
    this.#removed = removed;
  }

  async stat(digest: Digest): Promise<BlobStat | undefined> {
    return this.#store.stat(digest);
  }

  async open(digest: Digest, start?: number, end?: number): Promise<ByteSource | undefined> {
    return this.#store.open(digest, start, end);
  }

  async openPartial(digest: Digest): Promise<PartialBlob> {
    return this.#store.openPartial(digest);
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    await this.#store.put(digest, bytes);
  }

  list(): AsyncIterable<BlobEntry> {
    return this.#store.list();
  }

  listPartials(): AsyncIterable<BlobEntry> {
    return this.#store.listPartials();
  }

  async remove(digest: Digest): Promise<void> {
    try {
      await this.#store.remove(digest);
    } finally {
      this.#removed(digest);
    }
  }

  async removePartial(digest: Digest): Promise<void> {
    await this.#store.removePartial(digest);
  }

  async quarantine(digest: Digest): Promise<void> {
    try {
      await this.#store.quarantine(digest);
    } finally {
      this.#removed(digest);
    }
  }
}
