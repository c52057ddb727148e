import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import { SingleFlight } from '../base/single-flight.ts';
import type { Logger } from '../base/logger.ts';
import type { Digest } from '../oci/digest.ts';
import { OciError } from '../oci/error.ts';
import type { Reference } from '../oci/reference.ts';
import type { Tag } from '../oci/tag.ts';
import type { RepositoryKey, TagRecord, TagStore } from '../tag/tag-store.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import type { CachedRepository } from './cached-upstream.ts';
import { hit, type CacheOutcome } from './cache-outcome.ts';
import type { CacheIndex } from './cache-index.ts';
import type { DeliveryCheck } from './delivery-check.ts';
import { ageMs, freshnessOf, mayServeOnError } from './freshness.ts';
import type { HotManifest } from './hot-manifests.ts';
import type { ManifestShelf } from './manifest-shelf.ts';
import { NegativeCache } from './negative-cache.ts';
import { refusalOf } from './refusal.ts';

/** How long a tag is answered stale without asking after its upstream could not be asked. */
const restMs = 1_000;

export interface ManifestCacheOptions {
  readonly tags: TagStore;
  readonly shelf: ManifestShelf;
  readonly delivery: DeliveryCheck;
  readonly index: CacheIndex;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hotTags: number;
  /** How long a tag that could be served stale waits for an upstream that does not answer. */
  readonly revalidateWaitMs: number;
}

export interface ManifestAnswer {
  readonly manifest: HotManifest;
  readonly outcome: CacheOutcome;
}

/**
 * Manifests by tag and by digest. A digest needs no upstream once its manifest is here and linked; a tag is asked
 * again after its freshness, by HEAD, once for all who wait.
 */
export class ManifestCache {
  readonly #options: ManifestCacheOptions;
  readonly #hotTags: LRUCache<string, TagRecord>;
  readonly #flights = new SingleFlight<string, HotManifest>();
  readonly #negative: NegativeCache;
  readonly #rests = new LRUCache<string, { readonly error: UpstreamError; readonly untilMs: number }>({
    max: 10_000,
  });

  constructor(options: ManifestCacheOptions) {
    this.#options = options;
    this.#hotTags = new LRUCache({ max: options.hotTags });
    this.#negative = new NegativeCache(options.clock);
  }

  /** The answer when memory alone gives it, for the hot path; else `undefined`: ask `get`. */
  hot(repository: CachedRepository, reference: Reference): ManifestAnswer | undefined {
    const { clock, delivery, index, shelf } = this.#options;
    let digest: Digest;
    if (reference.kind === 'tag') {
      const record = this.#hotTags.get(nameOf(repository, reference.tag));
      if (record === undefined) return undefined;
      const rule = repository.upstream.freshness(reference.tag);
      if (freshnessOf(record, rule, clock.nowMs()) !== 'fresh') return undefined;
      digest = record.digest;
    } else {
      digest = reference.digest;
    }
    const manifest = shelf.hot(repository.key, digest);
    if (manifest === undefined || delivery.known(repository, manifest) === undefined) return undefined;
    index.touch(digest, clock.nowMs());
    return { manifest, outcome: hit };
  }

  /** Fails with OciError: 404 when there is no such manifest or its blobs can't be delivered, 503 in an outage. */
  async get(repository: CachedRepository, reference: Reference): Promise<ManifestAnswer> {
    try {
      const answer =
        reference.kind === 'digest'
          ? await this.#byDigest(repository, reference.digest)
          : await this.#byTag(repository, reference.tag);
      await this.#refuseUndeliverable(repository, answer.manifest);
      this.#options.index.touch(answer.manifest.digest, this.#options.clock.nowMs());
      return answer;
    } catch (error) {
      throw refusalOf(error, 'MANIFEST_UNKNOWN');
    }
  }

  /**
   * Asks the upstream now, whatever the freshness says and whatever it refused a moment ago; its verdict takes effect as
   * in a pull. Fails with UpstreamError, and with OverloadedError where its client does.
   */
  async refresh(repository: CachedRepository, reference: Reference): Promise<HotManifest> {
    const subject = nameOf(repository, reference.kind === 'tag' ? reference.tag : reference.digest);
    const { value } = await this.#flights.run(subject, async (signal) =>
      reference.kind === 'tag'
        ? this.#fetchTag(repository, reference.tag, signal)
        : this.#fetchDigest(repository, reference.digest, signal),
    );
    this.#negative.forget(subject);
    return value;
  }

  /** Drops what is known of a tag; its next pull asks the upstream. Fails with StorageError. */
  async forgetTag(key: RepositoryKey, tag: Tag): Promise<void> {
    this.#hotTags.delete(`${key.upstream} ${key.repository} ${tag}`);
    await this.#options.tags.remove(key, tag);
  }

  async #byDigest(repository: CachedRepository, digest: Digest): Promise<ManifestAnswer> {
    const { shelf } = this.#options;
    const stored = await shelf.get(repository.key, digest);
    if (stored !== undefined) return { manifest: stored, outcome: hit };
    const fetched = await this.#once(repository, digest, async (signal) =>
      this.#fetchDigest(repository, digest, signal),
    );
    return { manifest: fetched.value, outcome: forwarded('miss', fetched.collapsed) };
  }

  async #byTag(repository: CachedRepository, tag: Tag): Promise<ManifestAnswer> {
    const { clock, logger, shelf } = this.#options;
    const record = await this.#record(repository, tag);
    const rule = repository.upstream.freshness(tag);
    const freshness = record === undefined ? 'revalidate' : freshnessOf(record, rule, clock.nowMs());
    let reason: 'miss' | 'stale' = record === undefined ? 'miss' : 'stale';
    if (record !== undefined && freshness !== 'revalidate') {
      if (freshness === 'revalidate-behind') {
        this.#revalidate(repository, tag).catch((error: unknown) =>
          logger.debug('a tag could not be revalidated', { ...repository.key, tag, error }),
        );
      }
      const stored = await shelf.get(repository.key, record.digest);
      if (stored !== undefined) return { manifest: stored, outcome: hit };
      reason = 'miss';
    }
    try {
      const fresh = await this.#revalidateInTime(repository, tag, record);
      return { manifest: fresh.value, outcome: forwarded(reason, fresh.collapsed) };
    } catch (error) {
      return this.#staleAnswer(repository, { tag, record, error });
    }
  }

  /**
   * A pull that can be answered from here waits for a silent upstream only a little: it is asked on behind, and its
   * breaker opens meanwhile.
   */
  async #revalidateInTime(
    repository: CachedRepository,
    tag: Tag,
    record: TagRecord | undefined,
  ): Promise<{ value: HotManifest; collapsed: boolean }> {
    const { clock, revalidateWaitMs, shelf } = this.#options;
    const rest = record === undefined ? undefined : this.#rests.get(nameOf(repository, tag));
    if (rest !== undefined && clock.monotonicMs() < rest.untilMs) throw rest.error;
    const asked = this.#revalidate(repository, tag);
    if (record === undefined) return asked;
    asked.catch(() => undefined); // heard below, or too late to matter
    if ((await shelf.get(repository.key, record.digest)) === undefined) return asked;
    const late = Promise.withResolvers<never>();
    const alarm = clock.schedule(revalidateWaitMs, () =>
      late.reject(new UpstreamError('unavailable', 'the upstream has not answered in time')),
    );
    return Promise.race([asked, late.promise]).finally(() => alarm.cancel());
  }

  async #revalidate(
    repository: CachedRepository,
    tag: Tag,
  ): Promise<{ value: HotManifest; collapsed: boolean }> {
    return this.#once(repository, tag, async (signal) => this.#fetchTag(repository, tag, signal));
  }

  async #once(
    repository: CachedRepository,
    reference: Tag | Digest,
    work: (signal: AbortSignal) => Promise<HotManifest>,
  ): Promise<{ value: HotManifest; collapsed: boolean }> {
    const subject = nameOf(repository, reference);
    const refusal = this.#negative.refusal(subject);
    if (refusal !== undefined) throw refusal;
    return this.#flights.run(subject, work);
  }

  /** HEAD first: Docker Hub counts only GETs, and mostly nothing has changed. */
  async #fetchTag(repository: CachedRepository, tag: Tag, signal: AbortSignal): Promise<HotManifest> {
    const { key, upstream } = repository;
    const { shelf } = this.#options;
    const reference = { kind: 'tag', tag } as const;
    try {
      const head = await upstream.client.headManifest(key.repository, reference, signal);
      const manifest =
        head.digest === undefined
          ? await shelf.put(key, await upstream.client.getManifest(key.repository, reference, signal))
          : ((await shelf.get(key, head.digest)) ??
            (await shelf.adopt(key, head.digest, head.mediaType)) ??
            (await shelf.put(
              key,
              await upstream.client.getManifest(
                key.repository,
                { kind: 'digest', digest: head.digest },
                signal,
              ),
            )));
      await this.#pointTag(repository, tag, manifest);
      return manifest;
    } catch (error) {
      await this.#obey(repository, tag, error);
      throw error;
    }
  }

  /** "Knowing a digest grants nothing": bytes that are here count only after the upstream showed them in this repository. */
  async #fetchDigest(
    repository: CachedRepository,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<HotManifest> {
    const { key, upstream } = repository;
    const { shelf } = this.#options;
    const reference = { kind: 'digest', digest } as const;
    try {
      if (this.#options.index.usage(digest) !== undefined) {
        const head = await upstream.client.headManifest(key.repository, reference, signal);
        const adopted = await shelf.adopt(key, digest, head.mediaType);
        if (adopted !== undefined) return adopted;
      }
      return await shelf.put(key, await upstream.client.getManifest(key.repository, reference, signal));
    } catch (error) {
      if (error instanceof UpstreamError) {
        this.#negative.remember(nameOf(repository, digest), error, upstream.rule.negativeMs);
        if (error.kind === 'denied') shelf.forgetAll(key);
      }
      throw error;
    }
  }

  async #pointTag(repository: CachedRepository, tag: Tag, manifest: HotManifest): Promise<void> {
    const { clock, logger, tags } = this.#options;
    const record = { digest: manifest.digest, mediaType: manifest.mediaType, checkedAtMs: clock.nowMs() };
    this.#hotTags.set(nameOf(repository, tag), record);
    try {
      await tags.put(repository.key, tag, record);
    } catch (error) {
      logger.warn('a tag could not be stored', { ...repository.key, tag, error });
    }
  }

  /**
   * A verdict on a tag, or on its whole repository, takes effect here too; an outage changes nothing. An archived tag
   * outlives it, and its upstream is not asked again for each client either.
   */
  async #obey(repository: CachedRepository, tag: Tag, error: unknown): Promise<void> {
    if (!(error instanceof UpstreamError) || !error.isVerdict) return;
    const { logger, shelf, tags } = this.#options;
    const { negativeMs } = repository.upstream.freshness(tag);
    this.#negative.remember(nameOf(repository, tag), error, negativeMs);
    if (repository.upstream.isArchived(tag)) return;
    this.#hotTags.delete(nameOf(repository, tag));
    if (error.kind === 'denied') shelf.forgetAll(repository.key);
    try {
      await tags.remove(repository.key, tag);
    } catch (failure) {
      logger.warn('a tag could not be removed', { ...repository.key, tag, error: failure });
    }
  }

  async #staleAnswer(
    repository: CachedRepository,
    { tag, record, error }: { tag: Tag; record: TagRecord | undefined; error: unknown },
  ): Promise<ManifestAnswer> {
    const { clock, shelf } = this.#options;
    if (!(error instanceof UpstreamError) || record === undefined) throw error;
    const servesGone = error.isVerdict && repository.upstream.isArchived(tag);
    const rule = repository.upstream.freshness(tag);
    if (!servesGone && (error.isVerdict || !mayServeOnError(record, rule, clock.nowMs()))) throw error;
    if (!error.isVerdict) this.#rest(repository, tag, error);
    const manifest =
      (await shelf.get(repository.key, record.digest)) ??
      (servesGone ? await shelf.reopen(repository.key, record.digest) : undefined);
    if (manifest === undefined) throw error;
    const age = ageMs(record, clock.nowMs());
    const overdueMs = Math.max(0, age - rule.freshMs);
    return { manifest, outcome: { kind: 'stale', ageMs: age, overdueMs, detail: error.kind } };
  }

  /** An upstream that could not answer for a tag is not asked for it again by each client that is answered from here. */
  #rest(repository: CachedRepository, tag: Tag, error: UpstreamError): void {
    const name = nameOf(repository, tag);
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < (this.#rests.get(name)?.untilMs ?? 0)) return;
    this.#rests.set(name, { error, untilMs: nowMs + restMs });
  }

  async #refuseUndeliverable(repository: CachedRepository, manifest: HotManifest): Promise<void> {
    const { delivery } = this.#options;
    if (delivery.known(repository, manifest) !== undefined || (await delivery.ask(repository, manifest)))
      return;
    throw new OciError('MANIFEST_UNKNOWN', {
      detail: { upstream: 'unavailable', reason: 'not all of this image is cached and its upstream is away' },
    });
  }

  async #record(repository: CachedRepository, tag: Tag): Promise<TagRecord | undefined> {
    const name = nameOf(repository, tag);
    const hot = this.#hotTags.get(name);
    if (hot !== undefined) return hot;
    const record = await this.#options.tags.get(repository.key, tag);
    if (record !== undefined) this.#hotTags.set(name, record);
    return record;
  }
}

function forwarded(reason: 'miss' | 'stale', collapsed: boolean): CacheOutcome {
  return { kind: 'forward', reason, stored: true, collapsed };
}

/** A space stands in none of the parts. */
function nameOf({ key }: CachedRepository, reference: Tag | Digest): string {
  return `${key.upstream} ${key.repository} ${reference}`;
}
