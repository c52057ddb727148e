import type { Clock } from '../base/clock.ts';
import { SingleFlight } from '../base/single-flight.ts';
import type { Logger } from '../base/logger.ts';
import type { BlobReader, BlobSweeper } from '../blob/blob-store.ts';
import type { ByteSource } from '../blob/byte-source.ts';
import type { Digest } from '../oci/digest.ts';
import { isEmptyBlob } from '../oci/empty-blob.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import type { BlobFills } from './blob-fills.ts';
import type { BlobOrigin } from './blob-origin.ts';
import type { CacheIndex } from './cache-index.ts';
import { hit, type CacheOutcome } from './cache-outcome.ts';
import type { CachedRepository } from './cached-upstream.ts';
import { NegativeCache } from './negative-cache.ts';
import { refusalOf } from './refusal.ts';
import { ToldSizeSource } from './told-size-source.ts';

export interface BlobCacheOptions {
  readonly blobs: BlobReader & Pick<BlobSweeper, 'quarantine'>;
  readonly fills: BlobFills;
  readonly index: CacheIndex;
  readonly clock: Clock;
  readonly logger: Logger;
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
    const { clock, fills, index } = this.#options;
    try {
      const joins = fills.isRunning(digest);
      const linked = index.linked(repository.key, digest);
      const stat = isEmptyBlob(digest) ? { size: 0 } : await this.#stored(digest, linked?.size);
      const proof = await this.#prove(repository, digest, { intent, linked, storedSize: stat?.size });
      const { size } = proof;
      if (stat !== undefined) index.touch(digest, clock.nowMs());
      else if (intent === 'head') this.#refuseWhenAway(repository);
      else if (size === 0) await this.#bring(repository, digest);
      const collapsed = joins || proof.collapsed;
      const outcome: CacheOutcome =
        stat !== undefined
          ? hit
          : fills.mayStore(size, repository.key.upstream)
            ? { kind: 'forward', reason: 'miss', stored: true, collapsed }
            : { kind: 'pass-through' };
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

  /**
   * A blob that is not as long as it came in was damaged since, and is put away: its next pull fetches it again. Where
   * only the descriptor says otherwise, it is the descriptor that is wrong.
   */
  async #stored(
    digest: Digest,
    toldSize: number | undefined,
  ): Promise<{ readonly size: number } | undefined> {
    const { blobs, index, logger } = this.#options;
    const stat = await blobs.stat(digest);
    if (stat === undefined || toldSize === undefined || toldSize === stat.size) return stat;
    const recorded = index.usage(digest)?.size;
    if (recorded === undefined || recorded === stat.size) return stat;
    logger.error('a blob has another length than it came in with; putting it in quarantine', {
      digest,
      size: stat.size,
      recorded,
    });
    await blobs.quarantine(digest);
    index.forget(digest);
    return undefined;
  }

  async #open(
    repository: CachedRepository,
    { digest, size }: { digest: Digest; size: number },
    { start, end }: { start: number; end: number | undefined },
  ): Promise<ByteSource> {
    const whole = end === undefined || (start === 0 && end === size);
    // Its true length is known once it is stored. Until then what the upstream told must not outlive a lie, or the blob
    // could not be pulled ever again.
    const disproved = (): void => this.#options.index.unlink(repository.key, digest);
    try {
      const opened = await this.#options.fills.open(originOf(repository), {
        digest,
        size,
        span: { start, end: end ?? size },
        whole,
      });
      return opened.delivery === 'stored' ? opened.source : new ToldSizeSource(opened.source, disproved);
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'malformed') disproved();
      throw refusalOf(error, 'BLOB_UNKNOWN');
    }
  }

  /** An answer without bytes is given without opening any: so what is said to have none is checked before. */
  async #bring(repository: CachedRepository, digest: Digest): Promise<void> {
    const source = await this.#open(repository, { digest, size: 0 }, { start: 0, end: undefined });
    try {
      await source.read(new Uint8Array(1));
    } finally {
      await source.close();
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
  ): Promise<{ readonly size: number; readonly collapsed: boolean }> {
    const size = known.storedSize ?? known.linked?.size;
    if (known.linked !== undefined && size !== undefined) return { size, collapsed: false };
    const subject = `${repository.key.upstream} ${repository.key.repository} ${digest}`;
    const refusal = this.#negative.refusal(subject);
    if (refusal !== undefined) throw refusal;
    const proof = await this.#proofs.run(subject, async (signal) => {
      try {
        return await this.#ask(repository, digest, known, signal);
      } catch (error) {
        if (error instanceof UpstreamError) this.#obey(repository, { subject, error });
        throw error;
      }
    });
    return { size: proof.value, collapsed: proof.collapsed };
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

  /** Who may not read one blob of a repository may read nothing of it: what was linked there counts no longer. */
  #obey(
    { key, upstream }: CachedRepository,
    { subject, error }: { subject: string; error: UpstreamError },
  ): void {
    this.#negative.remember(subject, error, upstream.rule.negativeMs);
    if (error.kind === 'denied') this.#options.index.unlinkAll(key);
  }

  /** A HEAD says that a GET would succeed: not while the upstream is known to be away. */
  #refuseWhenAway({ upstream }: CachedRepository): void {
    if (upstream.health().breakerOpen) throw new UpstreamError('unavailable', 'the upstream is away');
  }
}

function originOf({ upstream, key }: CachedRepository): BlobOrigin {
  return { upstream: upstream.name, repository: key.repository, client: upstream.client };
}
