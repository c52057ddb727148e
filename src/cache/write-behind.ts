import { Broadcast } from '../base/broadcast.ts';
import type { PartialBlob } from '../blob/blob-store.ts';

interface Batch {
  readonly position: number;
  readonly chunks: Uint8Array[];
  bytes: number;
}

/** How many chunks one write takes at most: the system's limit on a vectored write is 1,024. */
const maxChunks = 256;
/** No write takes more: while one runs there is room for the next to gather. */
const maxWriteBytes = 512 * 1024;

function hasRoom({ bytes, chunks }: Batch): boolean {
  return bytes < maxWriteBytes && chunks.length < maxChunks;
}

/** A write costs as much for a little as for this much; less is held back until somebody flushes. */
const worthWritingBytes = 256 * 1024;

/**
 * Writes to a partial blob behind the download's back: one write at a time, everything that came meanwhile in the next
 * one. After the first failure nothing more is written and `error` says why.
 */
export class WriteBehind {
  readonly #partial: PartialBlob;
  readonly #written: (end: number) => void;
  readonly #changed = new Broadcast();
  #queue: Batch[] = [];
  #bytes = 0;
  #writing = false;
  #flushing = false;
  #error: Error | undefined;

  constructor(partial: PartialBlob, written: (end: number) => void) {
    this.#partial = partial;
    this.#written = written;
  }

  /** Bytes that are not on disk yet. */
  get bytes(): number {
    return this.#bytes;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  push(bytes: Uint8Array, position: number): void {
    if (this.#error !== undefined) return;
    const last = this.#queue.at(-1);
    if (last !== undefined && last.position + last.bytes === position && hasRoom(last)) {
      last.chunks.push(bytes);
      last.bytes += bytes.length;
    } else {
      this.#queue.push({ position, chunks: [bytes], bytes: bytes.length });
    }
    this.#bytes += bytes.length;
    if (!this.#writing && this.#bytes >= worthWritingBytes) void this.#writeAll();
  }

  /** Writes what is held back, too. */
  flush(): void {
    this.#flushing = this.#queue.length > 0;
    if (!this.#writing && this.#queue.length > 0) void this.#writeAll();
  }

  /** Resolves when at most `maxBytes` are waiting, or the writing failed. */
  async room(maxBytes: number): Promise<void> {
    while (this.#bytes > maxBytes && this.#error === undefined) {
      this.flush();
      await this.#changed.wait();
    }
  }

  /** Resolves when everything is written, or the writing failed. */
  async idle(): Promise<void> {
    for (this.flush(); this.#writing; this.flush()) await this.#changed.wait();
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    while (this.#flushing || this.#bytes >= worthWritingBytes) {
      const batch = this.#queue.shift();
      if (batch === undefined) break;
      try {
        await this.#partial.write(batch.chunks, batch.position);
      } catch (error) {
        this.#error = error instanceof Error ? error : new Error(String(error));
        this.#queue = [];
        break;
      }
      this.#bytes -= batch.bytes;
      this.#written(batch.position + batch.bytes);
      this.#changed.notify();
    }
    this.#writing = false;
    this.#flushing = false;
    this.#changed.notify();
  }
}
