import type { ByteSource } from '../blob/byte-source.ts';
import type { Span } from '../base/range-set.ts';
import type { Assembly } from './assembly.ts';

export interface AssemblySourceOptions {
  readonly span: Span;
  /** Whole-blob answers hold the last bytes back until the digest has passed; slices do not. */
  readonly withhold: boolean;
  /**
   * Called when the byte at `position` is not here: makes sure that it is coming, or gives the source that brings it
   * and all after it when it will not come here. Throws when it will not come at all.
   */
  readonly demand: (position: number) => ByteSource | undefined;
  /** Called once, when the reader is done or has given up. */
  readonly closed: () => void;
}

/** Reads a blob while it is being put together, waiting for bytes that are still coming. */
export class AssemblySource implements ByteSource {
  readonly length: number;
  readonly #assembly: Assembly;
  readonly #options: AssemblySourceOptions;
  #position: number;
  /** Of the first byte delivered: bytes of another generation must not follow it. */
  #generation: number | undefined;
  #beyond: ByteSource | undefined;
  #closed = false;

  constructor(assembly: Assembly, options: AssemblySourceOptions) {
    this.#assembly = assembly;
    this.#options = options;
    this.#position = options.span.start;
    this.length = options.span.end - options.span.start;
  }

  async read(into: Uint8Array): Promise<number> {
    const { span, withhold } = this.#options;
    for (;;) {
      if (this.#beyond !== undefined) return this.#beyond.read(into);
      this.#refuseIfBroken();
      if (this.#position >= span.end && this.#mayEnd()) return 0;
      const end = Math.min(span.end, this.#assembly.readableEnd(withhold));
      const generation = this.#assembly.generation;
      const read = this.#assembly.read(into, this.#position, end);
      // No turn between looking and waiting: what arrives in it would wake nobody.
      const count = typeof read === 'number' ? read : await read;
      if (generation !== this.#assembly.generation) continue;
      if (count > 0) {
        this.#generation = generation;
        this.#position += count;
        return count;
      }
      this.#beyond = this.#options.demand(this.#position);
      if (this.#beyond === undefined) await this.#assembly.progress.wait();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#assembly.progress.notify();
    await this.#beyond?.close();
    this.#options.closed();
  }

  /** An empty blob has no last byte to hold back: its end waits for the digest instead. */
  #mayEnd(): boolean {
    return !this.#options.withhold || this.length > 0 || this.#assembly.state.kind !== 'filling';
  }

  #refuseIfBroken(): void {
    if (this.#closed) throw new Error('the source is closed');
    if (this.#generation !== undefined && this.#generation !== this.#assembly.generation) {
      throw new Error('the bytes delivered so far turned out to be wrong');
    }
    if (this.#assembly.state.kind === 'failed') throw this.#assembly.state.error;
  }
}
