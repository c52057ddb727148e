/** 8 MiB/s: faster readers gain from large buffers; for slower ones, memory for many counts more. */
const fastBytesPerMs = (8 * 1024 * 1024) / 1000;

/** The kernel takes the first writes of every connection at once, so that a few of them say little. */
const fastWritesNeeded = 4;

/** Judges from its writes whether a reader keeps up. */
export class TransferPace {
  #fastWrites = 0;
  #slow = false;

  /** Took its last writes without delay. */
  get fast(): boolean {
    return this.#fastWrites >= fastWritesNeeded;
  }

  /** Kept the last write waiting. */
  get slow(): boolean {
    return this.#slow;
  }

  wrote(bytes: number, durationMs: number): void {
    this.#slow = durationMs * fastBytesPerMs > bytes;
    this.#fastWrites = this.#slow ? 0 : this.#fastWrites + 1;
  }
}
