import type { Clock } from '../base/clock.ts';
import { SingleFlight } from '../base/single-flight.ts';
import type { BlobReader } from '../blob/blob-store.ts';
import type { ByteSource } from '../blob/byte-source.ts';
import type { Digest } from '../oci/digest.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import type { BlobFills } from './blob-fills.ts';
import type { BlobOrigin } from './blob-origin.ts';
import type { CacheIndex } from './cache-index.ts';
import { hit, type CacheOutcome } from './cache-outcome.ts';
import type { CachedRepository } from './cached-upstream.ts';
import { NegativeCache } from './negative-cache.ts';
import { refusalOf } from './refusal.ts';

export interface BlobCacheOptions {
  readonly blobs: BlobReader;
  readonly fills: BlobFills;
  readonly index: CacheIndex;
  readonly clock: Clock;
  readonly negativeMs: number;
}

/** What the client is going to do: decides how an unknown blob is asked for. */
export type BlobIntent = 'head' | 'whole' | 'range';

export interface FoundBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly outcome: CacheOutcome;
  /** `end` undefined: to the blob's end, verified. Fails with OciError. */
  open(start: number, end: number | undefined): Promise<ByteSource>;
}

/** Blobs through the repositories that link them: from the store, a running fill, or the upstream. */
export class BlobCache {
  readonly #options: BlobCacheOptions;
  readonly #proofs = new SingleFlight<string, number>();
  readonly #negative: NegativeCache;

  constructor(options: BlobCacheOptions) {
    this.#options = options;
    this.#negative = new NegativeCache(options.clock);
  }

  /** Fails with OciError: 404 for what the upstream does not have in that repository, 503 in an outage. */
  async find(repository: CachedRepository, digest: Digest, intent: BlobIntent): Promise<FoundBlob> {
    const { blobs, clock, fills, index } = this.#options;
    try {
      const joins = fills.isRunning(digest);
      const link = index.linked(repository.key, digest);
      const stat = await blobs.stat(digest);
      const size = await this.#prove(repository, digest, { intent, linked: link, storedSize: stat?.size });
      if (stat !== undefined) index.touch(digest, clock.nowMs());
      else if (intent === 'head') this.#refuseWhenAway(repository);
      const outcome: CacheOutcome =
        stat === undefined ? { kind: 'forward', reason: 'miss', stored: true, collapsed: joins } : hit;
      return {
        digest,
        size,
        outcome,
        open: async (start, end) => this.#open(repository, { digest, size }, { start, end }),
      };
    } catch (error) {
      throw refusalOf(error, 'BLOB_UNKNOWN');
    }
  }

  async #open(
    repository: CachedRepository,
    { digest, size }: { digest: Digest; size: number },
    { start, end }: { start: number; end: number | undefined },
  ): Promise<ByteSource> {
    const whole = end === undefined || (start === 0 && end === size);
    try {
      const opened = await this.#options.fills.open(originOf(repository), {
        digest,
        size,
        span: { start, end: end ?? size },
        whole,
      });
      return opened.source;
    } catch (error) {
      throw refusalOf(error, 'BLOB_UNKNOWN');
    }
  }

  /** Makes sure that the repository holds the blob, and says how long it is. */
  async #prove(
    repository: CachedRepository,
    digest: Digest,
    known: {
      intent: BlobIntent;
      linked: { readonly size: number | undefined } | undefined;
      storedSize: number | undefined;
    },
  ): Promise<number> {
    const size = known.storedSize ?? known.linked?.size;
    if (known.linked !== undefined && size !== undefined) return size;
    const subject = `${repository.key.upstream} ${repository.key.repository} ${digest}`;
    const refusal = this.#negative.refusal(subject);
    if (refusal !== undefined) throw refusal;
    const proof = await this.#proofs.run(subject, async (signal) => {
      try {
        return await this.#ask(repository, digest, known, signal);
      } catch (error) {
        if (error instanceof UpstreamError) this.#negative.remember(subject, error, this.#options.negativeMs);
        throw error;
      }
    });
    return proof.value;
  }

  /** The blob itself is the proof when nobody is fetching it yet and all of it is wanted: one GET instead of HEAD and GET. */
  async #ask(
    repository: CachedRepository,
    digest: Digest,
    known: { intent: BlobIntent; storedSize: number | undefined },
    signal: AbortSignal,
  ): Promise<number> {
    const { fills, index } = this.#options;
    const byGet = known.intent === 'whole' && known.storedSize === undefined && !fills.isRunning(digest);
    const size = byGet
      ? await fills.prove(originOf(repository), digest)
      : (await repository.upstream.client.headBlob(repository.key.repository, digest, signal)).size;
    index.link(repository.key, [{ digest, size: known.storedSize ?? size }]);
    return known.storedSize ?? size;
  }

  /** A HEAD says that a GET would succeed: not while the upstream is known to be away. */
  #refuseWhenAway({ upstream }: CachedRepository): void {
    if (upstream.health().breakerOpen) throw new UpstreamError('unavailable', 'the upstream is away');
  }
}

function originOf({ upstream, key }: CachedRepository): BlobOrigin {
  return { upstream: upstream.name, repository: key.repository, client: upstream.client };
}
