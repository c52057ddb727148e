import type { Clock } from '../src/base/clock.ts';
import { Limiter } from '../src/base/limiter.ts';
import type { Logger } from '../src/base/logger.ts';
import type { Metrics } from '../src/base/metrics.ts';
import { StorageFullError } from '../src/base/storage-error.ts';
import type { BlobStore } from '../src/blob/blob-store.ts';
import { BlobCache } from '../src/cache/blob-cache.ts';
import { BlobFills, type BlobFillsOptions } from '../src/cache/blob-fills.ts';
import { admitBlob, type BudgetLimits } from '../src/cache/budget.ts';
import type { CacheIndex } from '../src/cache/cache-index.ts';
import { DeliveryCheck } from '../src/cache/delivery-check.ts';
import { Evictor } from '../src/cache/evictor.ts';
import { FillSlots } from '../src/cache/fill-slots.ts';
import type { FillPolicy } from '../src/cache/fill.ts';
import { ListingCache } from '../src/cache/listing-cache.ts';
import { ManifestCache } from '../src/cache/manifest-cache.ts';
import { ManifestShelf } from '../src/cache/manifest-shelf.ts';
import { WatchedBlobStore } from '../src/cache/watched-blob-store.ts';
import type { RevisionStore, TagStore } from '../src/tag/tag-store.ts';
import type { EdgeMetrics } from './edge-metrics.ts';

export interface CacheParts {
  readonly blobs: BlobStore;
  readonly tags: TagStore;
  readonly revisions: RevisionStore;
  readonly index: CacheIndex;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly edgeMetrics: EdgeMetrics;
}

export interface CacheSettings {
  readonly fill: FillPolicy;
  readonly budget: BudgetLimits;
  readonly maxFills: number;
  readonly maxQueuedFills: number;
  readonly maxFillsOf: (upstream: string) => number;
  readonly maxRangesInFlight: number;
  readonly maxPassThroughs: number;
  readonly partialLifetimeMs: number;
  readonly sweepIntervalMs: number;
  /** For how long after a storage failure nothing new is stored. */
  readonly storageRetryMs: number;
  readonly hotManifestBytes: number;
  readonly hotTags: number;
  readonly revalidateWaitMs: number;
}

export interface EdgeCache {
  /** The store that everybody uses who removes: what is kept in memory about it follows. */
  readonly store: BlobStore;
  readonly shelf: ManifestShelf;
  readonly manifests: ManifestCache;
  readonly blobs: BlobCache;
  readonly listings: ListingCache;
  readonly fills: BlobFills;
  readonly evictor: Evictor;
}

/** Puts the pull-through engine together over the stores it is given. */
export function assembleCache(parts: CacheParts, settings: CacheSettings): EdgeCache {
  const { clock, index, logger, metrics } = parts;
  const store: BlobStore = new WatchedBlobStore(parts.blobs, (digest) => {
    shelf.forget(digest);
    delivery.removed();
  });
  const evictor = new Evictor({
    blobs: store,
    index,
    clock,
    logger,
    metrics,
    limits: settings.budget,
    sweepIntervalMs: settings.sweepIntervalMs,
    partialLifetimeMs: settings.partialLifetimeMs,
    isBusy: (digest) => fills.isRunning(digest),
    fillBytes: () => fills.bytes,
  });
  const shelf = new ManifestShelf({
    ...parts,
    blobs: store,
    hotBytes: settings.hotManifestBytes,
    stored: () => inBackground(logger, evictor.makeRoom(0)),
  });
  const delivery = new DeliveryCheck({ blobs: store, shelf, clock });
  const fills: BlobFills = new BlobFills(fillOptions(parts, settings, { store, evictor, delivery }));
  return {
    store,
    shelf,
    fills,
    evictor,
    blobs: new BlobCache({ blobs: store, fills, index, clock, logger }),
    listings: new ListingCache({ index, clock }),
    manifests: new ManifestCache({
      tags: parts.tags,
      shelf,
      delivery,
      index,
      clock,
      logger,
      hotTags: settings.hotTags,
      revalidateWaitMs: settings.revalidateWaitMs,
    }),
  };
}

/** How much is freed at once when the disk is full before the budget is used. */
const urgentBytes = 256 * 1024 * 1024;

function fillOptions(
  { clock, edgeMetrics, index, logger, random }: CacheParts,
  settings: CacheSettings,
  { store, evictor, delivery }: { store: BlobStore; evictor: Evictor; delivery: DeliveryCheck },
): BlobFillsOptions {
  return {
    blobs: store,
    slots: new FillSlots({ ...settings, maxQueued: settings.maxQueuedFills }),
    ranges: new Limiter({
      name: 'ranges',
      concurrency: settings.maxRangesInFlight,
      maxQueued: settings.maxQueuedFills,
    }),
    clock,
    random,
    logger,
    policy: settings.fill,
    maxPassThroughs: settings.maxPassThroughs,
    storageRetryMs: settings.storageRetryMs,
    admits: (size, upstream) => admitBlob(settings.budget, { size, upstream }) === 'store',
    started: (size) => inBackground(logger, evictor.makeRoom(size)),
    committed: ({ origin, size, assembly }) => {
      const usedAtMs = clock.nowMs();
      index.record({ digest: assembly.digest, size, upstream: origin.upstream, usedAtMs, children: [] });
      delivery.added();
      edgeMetrics.filled(origin.upstream, size);
      inBackground(logger, evictor.makeRoom(0));
    },
    corrupt: ({ upstream, repository }) => {
      edgeMetrics.corrupt(upstream);
      logger.error('the upstream sent bytes that are not the blob', { upstream, repository });
    },
    storageFailed: (error) => {
      edgeMetrics.storageFailed();
      logger.error('nothing can be stored now: passing through', { error });
      if (error instanceof StorageFullError) inBackground(logger, evictor.freeAtLeast(urgentBytes));
    },
  };
}

function inBackground(logger: Logger, work: Promise<unknown>): void {
  work.catch((error: unknown) => logger.error('no room could be made in the cache', { error }));
}
