import type { Clock } from '../base/clock.ts';
import { SingleFlight } from '../base/single-flight.ts';
import type { Digest } from '../oci/digest.ts';
import type { OciErrorCode } from '../oci/error.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import type { CacheIndex, Listing } from './cache-index.ts';
import { hit, type CacheOutcome } from './cache-outcome.ts';
import type { CachedRepository } from './cached-upstream.ts';
import { ageMs, freshnessOf, mayServeOnError, type FreshnessRule } from './freshness.ts';
import { NegativeCache } from './negative-cache.ts';
import { refusalOf } from './refusal.ts';

export interface ListingCacheOptions {
  readonly index: CacheIndex;
  readonly clock: Clock;
}

export interface ListingAnswer<Value> {
  readonly value: Value;
  readonly outcome: CacheOutcome;
}

export type ReferrerDescriptor = Readonly<Record<string, unknown>>;

interface ListingKind<Value> {
  readonly subject: string;
  readonly unknown: OciErrorCode;
  readonly fetch: (signal: AbortSignal) => Promise<Value>;
}

/** Tag lists and referrers: whole as the upstream gives them, so that paging and filtering happen here. */
export class ListingCache {
  readonly #options: ListingCacheOptions;
  readonly #flights = new SingleFlight<string, unknown>();
  readonly #negative: NegativeCache;

  constructor(options: ListingCacheOptions) {
    this.#options = options;
    this.#negative = new NegativeCache(options.clock);
  }

  /** In ASCII order, whatever the upstream's was, so that `last` is well defined. */
  async tags(repository: CachedRepository): Promise<ListingAnswer<readonly string[]>> {
    const { client } = repository.upstream;
    return this.#list(repository, {
      subject: 'tags',
      unknown: 'NAME_UNKNOWN',
      fetch: async (signal) => {
        const tags = await client.listTags(repository.key.repository, signal);
        return [...new Set(tags)].sort((one, other) => (one < other ? -1 : 1));
      },
    });
  }

  /** Never 404 for an unknown digest: no referrers is an empty list (distribution-spec, "Listing Referrers"). */
  async referrers(
    repository: CachedRepository,
    digest: Digest,
  ): Promise<ListingAnswer<readonly ReferrerDescriptor[]>> {
    const { client } = repository.upstream;
    return this.#list(repository, {
      subject: `referrers ${digest}`,
      unknown: 'NAME_UNKNOWN',
      fetch: async (signal) =>
        (await client.listReferrers(repository.key.repository, digest, signal)).manifests,
    });
  }

  async #list<Value>(repository: CachedRepository, kind: ListingKind<Value>): Promise<ListingAnswer<Value>> {
    const { clock, index } = this.#options;
    const { rule } = repository.upstream;
    const cached = index.listing(repository.key, kind.subject);
    if (cached !== undefined && freshnessOf(cached, rule, clock.nowMs()) === 'fresh') {
      return { value: JSON.parse(cached.body) as Value, outcome: hit };
    }
    try {
      return await this.#fetch(repository, kind, cached);
    } catch (error) {
      const stale = cached !== undefined && this.#staleAnswer<Value>(cached, rule, error);
      if (stale !== false && stale !== undefined) return stale;
      throw refusalOf(error, kind.unknown);
    }
  }

  async #fetch<Value>(
    { key, upstream }: CachedRepository,
    kind: ListingKind<Value>,
    cached: Listing | undefined,
  ): Promise<ListingAnswer<Value>> {
    const { clock, index } = this.#options;
    const subject = `${key.upstream} ${key.repository} ${kind.subject}`;
    const refusal = this.#negative.refusal(subject);
    if (refusal !== undefined) throw refusal;
    const flight = await this.#flights.run(subject, async (signal) => {
      try {
        const value = await kind.fetch(signal);
        index.putListing(key, kind.subject, { body: JSON.stringify(value), checkedAtMs: clock.nowMs() });
        return value;
      } catch (error) {
        if (error instanceof UpstreamError) this.#negative.remember(subject, error, upstream.rule.negativeMs);
        throw error;
      }
    });
    const reason = cached === undefined ? 'miss' : 'stale';
    return {
      value: flight.value as Value,
      outcome: { kind: 'forward', reason, stored: true, collapsed: flight.collapsed },
    };
  }

  #staleAnswer<Value>(
    cached: Listing,
    rule: FreshnessRule,
    error: unknown,
  ): ListingAnswer<Value> | undefined {
    const { clock } = this.#options;
    if (!(error instanceof UpstreamError) || error.isVerdict) return undefined;
    if (!mayServeOnError(cached, rule, clock.nowMs())) return undefined;
    const age = ageMs(cached, clock.nowMs());
    return {
      value: JSON.parse(cached.body) as Value,
      outcome: { kind: 'stale', ageMs: age, overdueMs: Math.max(0, age - rule.freshMs), detail: error.kind },
    };
  }
}
