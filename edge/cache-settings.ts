import type { CacheSettings } from './cache-assembly.ts';

/** What the configuration says of the cache. */
export interface CacheLimits {
  readonly maxBytes: number | 'auto';
  readonly highWatermark: number;
  readonly lowWatermark: number;
  readonly unattendedFills: 'finish' | 'half' | 'stop';
  readonly maxFills: number;
  readonly maxQueuedFills: number;
  readonly maxRangesInFlight: number;
  readonly maxPassThrough: number;
  readonly checkpointIntervalMs: number;
  readonly partialLifetimeMs: number;
  readonly hotManifestBytes: number;
}

export interface UpstreamLimits {
  readonly name: string;
  readonly maxFills: number;
  readonly quotaBytes?: number | undefined;
}

export interface CacheSettingsSource {
  readonly cache: CacheLimits;
  readonly upstreams: readonly UpstreamLimits[];
  readonly disk: { readonly usedBytes: number; readonly freeBytes: number };
}

/** What the cache takes of the disk when nobody said how much. */
const automaticShare = 0.8;

/** Adds to the configuration what nobody has had a reason to configure. */
export function cacheSettings({ cache, upstreams, disk }: CacheSettingsSource): CacheSettings {
  const automatic = Math.floor((disk.usedBytes + disk.freeBytes) * automaticShare);
  const maxFills = new Map(upstreams.map((upstream) => [upstream.name, upstream.maxFills]));
  const quotas = upstreams.flatMap(({ name, quotaBytes }) =>
    quotaBytes === undefined ? [] : [[name, quotaBytes] as const],
  );
  return {
    fill: {
      unattended: cache.unattendedFills,
      lingerMs: 1_000,
      checkpointIntervalMs: cache.checkpointIntervalMs,
      // About half a minute without a byte: clients wait longer than that, and pull from the start once cut off.
      retry: { attempts: 12, firstMs: 200, maxMs: 8_000 },
      joinAheadBytes: 8 * 1024 * 1024,
      rangeAttempts: 3,
    },
    budget: {
      maxBytes: cache.maxBytes === 'auto' ? automatic : cache.maxBytes,
      highWatermark: cache.highWatermark,
      lowWatermark: cache.lowWatermark,
      quotaBytes: new Map(quotas),
    },
    maxFills: cache.maxFills,
    maxQueuedFills: cache.maxQueuedFills,
    maxFillsOf: (upstream) => maxFills.get(upstream) ?? cache.maxFills,
    maxRangesInFlight: cache.maxRangesInFlight,
    maxPassThroughs: cache.maxPassThrough,
    partialLifetimeMs: cache.partialLifetimeMs,
    sweepIntervalMs: 60_000,
    storageRetryMs: 5_000,
    hotManifestBytes: cache.hotManifestBytes,
    hotTags: 20_000,
    revalidateWaitMs: 2_000,
  };
}
