import type { Span } from '../base/range-set.ts';
import type { ByteSource } from '../blob/byte-source.ts';
import { StorageError, StorageFullError } from '../base/storage-error.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import type { BlobOrigin } from './blob-origin.ts';
import type { Fill } from './fill.ts';

/**
 * Sees to it that the bytes of one closed range arrive: from what is here, from a transfer that is about to pass
 * there, else by one ranged request for each stretch that nobody else is fetching.
 */
export class SliceDemand {
  readonly #fill: Fill;
  readonly #origin: BlobOrigin;
  readonly #span: Span;
  readonly #passThrough: (span: Span) => ByteSource;
  #attempts = 0;
  #needsFill = false;
  #failure: Error | undefined;

  constructor(
    fill: Fill,
    options: { origin: BlobOrigin; span: Span; passThrough: (span: Span) => ByteSource },
  ) {
    this.#fill = fill;
    this.#origin = options.origin;
    this.#span = options.span;
    this.#passThrough = options.passThrough;
  }

  /** As AssemblySource's `demand`. */
  demand(position: number): ByteSource | undefined {
    const { assembly, environment } = this.#fill;
    const rest = { start: position, end: this.#span.end };
    const stored = this.#failure instanceof StorageFullError || this.#failure instanceof StorageError;
    if (stored || assembly.state.kind === 'spilled') return this.#passThrough(rest);
    if (this.#needsFill) {
      this.#fill.want();
      return undefined;
    }
    if (assembly.isSpokenFor(position) || this.#fillIsComing(position)) return undefined;
    if (this.#attempts >= environment.policy.rangeAttempts) {
      throw this.#failure ?? new UpstreamError('unavailable', 'the range could not be fetched');
    }
    this.#attempts += 1;
    for (const missing of assembly.unclaimed(rest)) void this.#fetch(missing);
    return undefined;
  }

  #fillIsComing(position: number): boolean {
    const ahead = position - (this.#fill.position ?? Infinity);
    return ahead >= 0 && ahead <= this.#fill.environment.policy.joinAheadBytes;
  }

  async #fetch(span: Span): Promise<void> {
    const { assembly, environment } = this.#fill;
    const claim = assembly.claim(span);
    const leave = this.#fill.enter();
    try {
      await environment.ranges.run(async () => {
        await this.#transfer(span);
      });
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      if (this.#failure instanceof StorageFullError) environment.storageFailed(this.#failure);
    } finally {
      claim.release();
      leave();
    }
  }

  async #transfer(span: Span): Promise<void> {
    const { assembly } = this.#fill;
    const abort = new AbortController();
    const { client, repository } = this.#origin;
    const stream = await client.getBlob(repository, assembly.digest, { span, signal: abort.signal });
    if (stream.start !== span.start) {
      // The upstream ignores ranges: what it sends becomes the fill, unless one is running already.
      this.#needsFill = true;
      const fits = stream.size === undefined || stream.size === assembly.size;
      if (!fits || !this.#fill.adopt(stream)) abort.abort();
      return;
    }
    let position = stream.start;
    for await (const chunk of stream.chunks) {
      await assembly.place(chunk.subarray(0, span.end - position), position);
      position += chunk.length;
    }
  }
}
