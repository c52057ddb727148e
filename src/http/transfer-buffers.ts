import assert from 'node:assert/strict';
import { BufferPool } from './buffer-pool.ts';

/** What a transfer begins with, and what a slow reader keeps: 200 of them with two each take 25 MiB. */
export const smallBufferBytes = 64 * 1024;

/**
 * Twice as much moves no more bytes for each second of processor time, half as much moves a sixth less; and a client
 * that stops reading holds two of them.
 */
export const largeBufferBytes = 512 * 1024;

/** Small buffers cost little to make; keeping a few spares the allocator in a rush of small blobs. */
const maxKeptSmall = 64;

/** The memory of all transfers of a process: small buffers for everyone, a bounded number of large ones for the fast. */
export class TransferBuffers {
  readonly #small = new BufferPool({
    bufferBytes: smallBufferBytes,
    maxBuffers: undefined,
    maxKept: maxKeptSmall,
  });
  readonly #large: BufferPool;

  /** @param maxLargeBytes what the large buffers may take in all; they are made on demand and then kept */
  constructor(maxLargeBytes: number) {
    const maxBuffers = Math.floor(maxLargeBytes / largeBufferBytes);
    this.#large = new BufferPool({ bufferBytes: largeBufferBytes, maxBuffers, maxKept: maxBuffers });
  }

  /** Bytes of the buffers that transfers hold now. */
  get lentBytes(): number {
    return this.#small.lent * smallBufferBytes + this.#large.lent * largeBufferBytes;
  }

  take(size: 'small' | 'large'): Buffer {
    const buffer = (size === 'large' ? this.#large.take() : undefined) ?? this.#small.take();
    assert(buffer !== undefined);
    return buffer;
  }

  give(buffer: Buffer): void {
    this.#poolOf(buffer).give(buffer);
  }

  forget(buffer: Buffer): void {
    this.#poolOf(buffer).forget();
  }

  #poolOf(buffer: Buffer): BufferPool {
    return buffer.length === smallBufferBytes ? this.#small : this.#large;
  }
}
