import type { ByteSource } from '../blob/byte-source.ts';
import type { Span } from '../base/range-set.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { maxWithheldBytes } from './assembly.ts';
import type { BlobOrigin } from './blob-origin.ts';
import type { SequentialHash } from './sequential-hash.ts';

export interface PassThroughOptions {
  readonly origin: BlobOrigin;
  readonly hash: SequentialHash;
  readonly span: Span;
  readonly blobSize: number;
  /**
   * Whole-blob answers are hashed on the way and hold back the last bytes until the digest has passed; `hash` stands
   * at `span.start`. Slices are not covered by any digest.
   */
  readonly verify: boolean;
  readonly closed: () => void;
}

/** Brings bytes from the upstream to one reader without storing them; holds at most what is withheld and one chunk. */
export class PassThroughSource implements ByteSource {
  readonly length: number;
  readonly #options: PassThroughOptions;
  readonly #abort = new AbortController();
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #fetched: number;
  #delivered: number;
  #verified = false;
  #closed = false;

  constructor(options: PassThroughOptions) {
    this.#options = options;
    this.#fetched = options.span.start;
    this.#delivered = options.span.start;
    this.length = options.span.end - options.span.start;
  }

  async read(into: Uint8Array): Promise<number> {
    const { span } = this.#options;
    if (this.#closed) throw new Error('the source is closed');
    while (this.#deliverable() === 0) {
      if (this.#fetched < span.end) await this.#fetch();
      else if (this.#options.verify && !this.#verified) this.#check();
      else return 0;
    }
    return this.#deliver(into);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#abort.abort();
    this.#held = [];
    this.#options.closed();
    await this.#chunks?.return?.().catch(() => undefined); // the connection is gone either way
  }

  #deliverable(): number {
    const { verify, blobSize } = this.#options;
    const limit = verify && !this.#verified ? blobSize - Math.min(blobSize, maxWithheldBytes) : Infinity;
    return Math.max(0, Math.min(this.#heldBytes, limit - this.#delivered));
  }

  #deliver(into: Uint8Array): number {
    const room = Math.min(into.length, this.#deliverable());
    let copied = 0;
    while (copied < room) {
      const chunk = this.#held[0];
      if (chunk === undefined) break;
      const part = chunk.subarray(0, room - copied);
      into.set(part, copied);
      copied += part.length;
      if (part.length === chunk.length) this.#held.shift();
      else this.#held[0] = chunk.subarray(part.length);
    }
    this.#heldBytes -= copied;
    this.#delivered += copied;
    return copied;
  }

  async #fetch(): Promise<void> {
    this.#chunks ??= await this.#open();
    const next = await this.#chunks.next();
    if (next.done === true)
      throw new UpstreamError('unavailable', 'the upstream sent fewer bytes than the blob has');
    const bytes = next.value.subarray(0, this.#options.span.end - this.#fetched);
    if (this.#options.verify) this.#options.hash.update(bytes);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    this.#fetched += bytes.length;
  }

  async #open(): Promise<AsyncIterator<Uint8Array>> {
    const { origin, hash, span, blobSize } = this.#options;
    const whole = span.start === 0 && span.end === blobSize;
    const stream = await origin.client.getBlob(origin.repository, hash.digest, {
      ...(whole ? {} : { span }),
      signal: this.#abort.signal,
    });
    if (stream.size !== undefined && stream.size !== blobSize) {
      throw new UpstreamError(
        'malformed',
        `the upstream's blob has ${stream.size} bytes instead of ${blobSize}`,
      );
    }
    return skip(stream.chunks, span.start - stream.start);
  }

  #check(): void {
    if (!this.#options.hash.matches()) {
      throw new UpstreamError('malformed', `the upstream's bytes do not match ${this.#options.hash.digest}`);
    }
    this.#verified = true;
  }
}

/** Drops the first `count` bytes: an upstream that ignores ranges begins at the front. */
async function* skip(chunks: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of chunks) {
    if (chunk.length > left) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
