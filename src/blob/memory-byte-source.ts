import assert from 'node:assert/strict';
import { StorageError } from '../base/storage-error.ts';
import type { ByteSource } from './byte-source.ts';

/** Bytes that are in memory already. They are copied out, so that the reader may do what it likes with its own. */
export class MemoryByteSource implements ByteSource {
  readonly length: number;
  readonly #bytes: Uint8Array;
  #position = 0;
  #isClosed = false;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    this.#bytes = bytes;
  }

  async read(into: Uint8Array): Promise<number> {
    if (this.#isClosed) throw new StorageError('the blob was closed');
    const left = this.#bytes.length - this.#position;
    if (left === 0) return 0;
    const count = Math.min(into.length, left);
    assert(count > 0, 'a read needs room for at least one byte');
    into.set(this.#bytes.subarray(this.#position, this.#position + count));
    this.#position += count;
    return count;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}
