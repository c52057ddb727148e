import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Counter, Family, Metrics } from '../base/metrics.ts';
import type { BlobEntry, BlobReader, BlobSweeper } from '../blob/blob-store.ts';
import type { ByteSource } from '../blob/byte-source.ts';
import { digestAlgorithm, digestHex, type Digest } from '../oci/digest.ts';
import type { UsageIndex } from './cache-index.ts';

export interface ScrubberOptions {
  readonly blobs: BlobReader & BlobSweeper;
  readonly index: UsageIndex;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly bytesPerSecond: number;
  /** Rest between two passes over the cache. */
  readonly pauseMs: number;
  /** A damaged blob was taken out of sight: whoever holds its bytes in memory drops them. */
  readonly onCorrupt: (digest: Digest) => void;
  /** Fetches the blob again at once; without it the next use does. `upstream` is '' where it is not known. */
  readonly refetch?: (digest: Digest, upstream: string) => void;
}

/** `gone` was evicted meanwhile; `failed` could not be read this time, which says nothing about its bytes. */
type ScrubResult = 'ok' | 'corrupt' | 'gone' | 'failed';

/** Some 150 microseconds of hashing, so that the event loop is never held for long. */
const chunkBytes = 256 * 1024;

/**
 * Reads every committed blob again and again, slowly, and takes out those whose bytes no longer match their digest:
 * disks lose bits, and a cache that serves them would spread the damage.
 */
export class Scrubber {
  readonly #options: ScrubberOptions;
  readonly #blobs: Family<Counter>;
  readonly #bytes: Counter;
  readonly #stopping = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #nextReadAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ScrubberOptions) {
    this.#options = options;
    this.#blobs = options.metrics.counter({
      name: 'wherry_scrub_blobs_total',
      help: 'Blobs read again to find damage: ok, corrupt, gone meanwhile, failed to be read.',
      labels: ['result'],
    });
    this.#bytes = options.metrics
      .counter({ name: 'wherry_scrub_bytes_total', help: 'Bytes read again to find damage.' })
      .with();
  }

  /** Begins the first pass. Called once. */
  start(): void {
    this.#work = this.#run().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#options.logger.error('scrubbing ended', { error });
    });
  }

  /** Ends within the read that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the scrubber was stopped'));
    await this.#work;
  }

  async #run(): Promise<void> {
    const { clock, pauseMs } = this.#options;
    for (;;) {
      await this.#pass();
      await clock.sleep(pauseMs, this.#stopping.signal);
    }
  }

  async #pass(): Promise<void> {
    const { blobs, logger } = this.#options;
    const { signal } = this.#stopping;
    try {
      for await (const entry of blobs.list()) {
        signal.throwIfAborted();
        this.#blobs.with(await this.#scrub(entry)).add();
      }
    } catch (error) {
      signal.throwIfAborted();
      logger.warn('a pass over the cache was cut short', { error });
    }
  }

  async #scrub(entry: BlobEntry): Promise<ScrubResult> {
    const { blobs, logger } = this.#options;
    const { digest } = entry;
    try {
      const source = await blobs.open(digest);
      if (source === undefined) return 'gone';
      const hex = await this.#hash(source, digest);
      if (hex !== digestHex(digest)) return await this.#takeOut(digest, hex);
      this.#adopt(entry);
      return 'ok';
    } catch (error) {
      this.#stopping.signal.throwIfAborted();
      logger.warn('a blob could not be scrubbed', { digest, error });
      return 'failed';
    }
  }

  async #hash(source: ByteSource, digest: Digest): Promise<string> {
    const hash = createHash(digestAlgorithm(digest));
    const chunk = new Uint8Array(Math.min(chunkBytes, Math.max(1, source.length)));
    try {
      for (let done = 0; done < source.length;) {
        await this.#awaitTurn();
        const read = await source.read(chunk);
        hash.update(chunk.subarray(0, read));
        this.#nextReadAtMs += (read / this.#options.bytesPerSecond) * 1_000;
        this.#bytes.add(read);
        done += read;
      }
    } finally {
      await source.close();
    }
    return hash.digest('hex');
  }

  /** A bucket of one chunk: what was read last is paid for before the next read; even a free one lets others go first. */
  async #awaitTurn(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    const nowMs = clock.monotonicMs();
    this.#nextReadAtMs = Math.max(this.#nextReadAtMs, nowMs);
    await clock.sleep(this.#nextReadAtMs - nowMs, signal);
  }

  async #takeOut(digest: Digest, foundHex: string): Promise<ScrubResult> {
    const { blobs, index, logger, onCorrupt, refetch } = this.#options;
    const upstream = index.usage(digest)?.upstream ?? '';
    logger.error('a blob does not match its digest any more; putting it in quarantine', {
      digest,
      found: `${digestAlgorithm(digest)}:${foundHex}`,
      upstream,
    });
    await blobs.quarantine(digest);
    index.forget(digest);
    onCorrupt(digest);
    refetch?.(digest, upstream);
    return 'corrupt';
  }

  /** A crash between commit and record leaves blobs that nobody counts; its upstream claims it on the next use. */
  #adopt({ digest, size, usedAtMs }: BlobEntry): void {
    const { index } = this.#options;
    if (index.usage(digest) === undefined) {
      index.record({ digest, size, upstream: '', usedAtMs, children: [] });
    }
  }
}
