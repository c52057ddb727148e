import PQueue from 'p-queue';

/** More work waits already than the limiter may hold: turn the caller away now instead of late. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
  readonly code = 'OVERLOADED';
}

export interface LimiterOptions {
  /** What is being limited, for messages. */
  readonly name: string;
  readonly concurrency: number;
  /** How many may wait for their turn; beyond it `run` fails at once. */
  readonly maxQueued: number;
}

/** Bounded concurrency with a bounded queue, first come first served. */
export class Limiter {
  readonly #name: string;
  readonly #maxQueued: number;
  readonly #queue: PQueue;

  constructor(options: LimiterOptions) {
    this.#name = options.name;
    this.#maxQueued = options.maxQueued;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  get running(): number {
    return this.#queue.pending;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /**
   * Runs `work` in its turn. Fails with OverloadedError when the queue is full. While queued, an abort of `signal` gives
   * up the place and fails with the signal's reason; once `work` runs, the signal is its own affair, and its slot
   * stays taken until it has ended.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.running >= this.#queue.concurrency && this.queued >= this.#maxQueued) {
      throw new OverloadedError(`${this.#name}: ${this.queued} are waiting already`);
    }
    if (signal === undefined) return this.#queue.add(work);

    // p-queue frees the slot of running work whose signal aborts, so it gets one that is cut loose at the start.
    const waiting = new AbortController();
    const abort = (): void => waiting.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const begin = async (): Promise<T> => {
      signal.removeEventListener('abort', abort);
      return work();
    };
    return this.#queue.add(begin, { signal: waiting.signal });
  }
}
