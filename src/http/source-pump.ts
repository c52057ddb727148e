import assert from 'node:assert/strict';
import type { Clock } from '../base/clock.ts';
import type { ByteSource } from '../blob/byte-source.ts';
import { TransferPace } from './transfer-pace.ts';
import type { TransferBuffers } from './transfer-buffers.ts';

export interface ByteSink {
  /** Resolves when `bytes` is the caller's again; rejects when they can't arrive any more. One write at a time. */
  write(bytes: Uint8Array): Promise<void>;
}

export interface PumpOptions {
  readonly buffers: TransferBuffers;
  readonly clock: Clock;
}

/** A source that delivered fewer bytes than it had announced. */
export class ShortSourceError extends Error {
  override readonly name = 'ShortSourceError';
  readonly code = 'SHORT_SOURCE';
}

/**
 * Copies all of `source` to `sink`, reading the next bytes while the last ones are being written: two buffers a
 * transfer, and no stream machinery for each chunk. A reader that takes its bytes fast gets large buffers while there
 * are some; one that does not gets a single small one, because reading ahead of it wins nothing.
 *
 * Fails with what the source or the sink failed with. The source stays open: its opener closes it.
 */
export async function pumpSource(source: ByteSource, sink: ByteSink, options: PumpOptions): Promise<void> {
  const transfer = new Transfer(sink, options);
  let remaining = source.length;
  try {
    while (remaining > 0) {
      const buffer = transfer.takeBuffer();
      const count = await source.read(buffer);
      if (count === 0) throw new ShortSourceError(`${remaining} of ${source.length} bytes are missing`);
      assert(count <= remaining, 'source delivered more than its length');
      remaining -= count;
      await transfer.write(buffer, count);
    }
    await transfer.finish();
  } catch (error) {
    transfer.abandon();
    throw error;
  }
}

/** The buffers and the write under way of one transfer. */
class Transfer {
  readonly #sink: ByteSink;
  readonly #buffers: TransferBuffers;
  readonly #clock: Clock;
  readonly #pace = new TransferPace();
  /** Every buffer that this transfer holds; at most two. */
  readonly #held = new Set<Buffer>();
  #writing: Promise<void> | undefined;

  constructor(sink: ByteSink, options: PumpOptions) {
    this.#sink = sink;
    this.#buffers = options.buffers;
    this.#clock = options.clock;
  }

  takeBuffer(): Buffer {
    const buffer = this.#buffers.take(this.#pace.fast ? 'large' : 'small');
    this.#held.add(buffer);
    return buffer;
  }

  /** Begins the write as soon as the one before it has ended; for a slow reader also waits for its end. */
  async write(buffer: Buffer, count: number): Promise<void> {
    await this.#writing;
    this.#writing = this.#writeAndGive(buffer, count);
    // Awaited with the next write or at the end; until then a rejection must not count as unhandled.
    this.#writing.catch(() => undefined);
    if (this.#pace.slow) await this.#writing;
  }

  async finish(): Promise<void> {
    await this.#writing;
    assert.equal(this.#held.size, 0);
  }

  /** After a failure a read or write may still be under way in the kernel or the thread pool. */
  abandon(): void {
    for (const buffer of this.#held) this.#buffers.forget(buffer);
    this.#held.clear();
  }

  async #writeAndGive(buffer: Buffer, count: number): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    await this.#sink.write(count === buffer.length ? buffer : buffer.subarray(0, count));
    this.#pace.wrote(count, this.#clock.monotonicMs() - startedMs);
    // A write that ends after the transfer was abandoned finds its buffer forgotten already.
    if (this.#held.delete(buffer)) this.#buffers.give(buffer);
  }
}
