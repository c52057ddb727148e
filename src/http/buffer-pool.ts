import assert from 'node:assert/strict';

export interface BufferPoolOptions {
  readonly bufferBytes: number;
  /** Most buffers out at a time; where `undefined`, as many as are asked for. */
  readonly maxBuffers: number | undefined;
  /** How many returned buffers are kept for the next taker instead of being freed. */
  readonly maxKept: number;
}

/** Buffers of one size that are lent and come back: each is either `give`n back or `forget`ten, once. */
export class BufferPool {
  readonly bufferBytes: number;
  readonly #maxBuffers: number;
  readonly #maxKept: number;
  readonly #kept: Buffer[] = [];
  #lent = 0;

  constructor(options: BufferPoolOptions) {
    this.bufferBytes = options.bufferBytes;
    this.#maxBuffers = options.maxBuffers ?? Number.POSITIVE_INFINITY;
    this.#maxKept = options.maxKept;
  }

  get lent(): number {
    return this.#lent;
  }

  get kept(): number {
    return this.#kept.length;
  }

  /** `undefined` when all are out. The bytes in it are anybody's: write before reading. */
  take(): Buffer | undefined {
    if (this.#lent >= this.#maxBuffers) return undefined;
    this.#lent += 1;
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(this.bufferBytes);
  }

  /** Only when nothing reads or writes the buffer any more. */
  give(buffer: Buffer): void {
    assert.equal(buffer.length, this.bufferBytes);
    this.forget();
    if (this.#kept.length < this.#maxKept) this.#kept.push(buffer);
  }

  /** The taker lost control of the buffer, a read or write may still touch it: it must not reach another taker. */
  forget(): void {
    assert(this.#lent > 0, 'more buffers returned than lent');
    this.#lent -= 1;
  }
}
