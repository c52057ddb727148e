/** What the queue asks of the connection behind it. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** Ends the connection; the rest of the body is not wanted. */
  destroy(reason: Error): void;
}

/** What an error page or the text of a redirect may take: cheaper to receive than a new connection. */
const maxDiscardedBytes = 64 * 1024;

/**
 * Hands the chunks of one body from a connection that pushes to a reader that pulls, without copying or joining them.
 * The connection is paused while `maxBufferedBytes` or more wait to be read.
 */
export class BodyQueue implements AsyncIterable<Uint8Array> {
  readonly #source: BodySource;
  readonly #maxBufferedBytes: number;
  readonly #onClose: () => void;
  readonly #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #paused = false;
  #ended = false;
  #discarded = false;
  #discardedBytes = 0;
  #closed = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(source: BodySource, options: { maxBufferedBytes: number; onClose: () => void }) {
    this.#source = source;
    this.#maxBufferedBytes = options.maxBufferedBytes;
    this.#onClose = options.onClose;
  }

  push(chunk: Uint8Array): void {
    if (this.#closed) return;
    if (this.#discarded) {
      this.#discardedBytes += chunk.length;
      if (this.#discardedBytes > maxDiscardedBytes) this.#destroy();
      return;
    }
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (!this.#paused && this.#bufferedBytes >= this.#maxBufferedBytes) {
      this.#paused = true;
      this.#source.pause();
    }
    this.#wakeReader();
  }

  end(): void {
    this.#ended = true;
    this.#close();
    this.#wakeReader();
  }

  /** What is buffered is still delivered, then the reader gets `error`. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.end();
  }

  /**
   * Nobody will read it. A little is let through and thrown away, so that the connection can be used again; more than
   * that ends it.
   */
  discard(): void {
    this.#drop();
    if (this.#ended) return;
    this.#discarded = true;
    this.#resumeSource();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#bufferedBytes -= chunk.length;
          yield chunk;
        } else if (this.#failure !== undefined) {
          throw this.#failure;
        } else if (this.#ended) {
          return;
        } else {
          this.#resumeSource();
          // Chunks may have come while the source was resumed.
          if (this.#isIdle()) await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      this.#destroy();
    }
  }

  /** The reader left in the middle. */
  #destroy(): void {
    this.#drop();
    if (this.#ended) return;
    const reason = new Error('the rest of the body is not wanted');
    this.fail(reason);
    this.#source.destroy(reason);
  }

  #drop(): void {
    this.#chunks.length = 0;
    this.#bufferedBytes = 0;
  }

  #isIdle(): boolean {
    return this.#chunks.length === 0 && !this.#ended;
  }

  #resumeSource(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.resume();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }
}
