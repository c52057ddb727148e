import { silentLogger } from '../../src/base/logger.ts';
import { ManualClock } from '../../src/base/manual-clock.ts';
import type { BlobStore } from '../../src/blob/blob-store.ts';
import { MemoryBlobStore } from '../../src/blob/memory-blob-store.ts';
import { BlobCache } from '../../src/cache/blob-cache.ts';
import type { CachedRepository } from '../../src/cache/cached-upstream.ts';
import { DeliveryCheck } from '../../src/cache/delivery-check.ts';
import type { FreshnessRule } from '../../src/cache/freshness.ts';
import { ListingCache } from '../../src/cache/listing-cache.ts';
import { ManifestCache, type ManifestAnswer } from '../../src/cache/manifest-cache.ts';
import { ManifestShelf } from '../../src/cache/manifest-shelf.ts';
import { MemoryCacheIndex } from '../../src/cache/memory-cache-index.ts';
import { WatchedBlobStore } from '../../src/cache/watched-blob-store.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { RepositoryName } from '../../src/oci/repository-name.ts';
import { MemoryRevisionStore } from '../../src/tag/memory-revision-store.ts';
import { MemoryTagStore } from '../../src/tag/memory-tag-store.ts';
import { MemoryRegistryClient } from '../../src/upstream/memory-registry-client.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../src/upstream/upstream-error.ts';
import { fillBench } from './fill-bench.ts';
import type { FakeImage, FakeIndex } from './images.ts';

export const app = 'team/app' as RepositoryName;

/** Day-long and short times, far enough apart that no test takes one for the other. */
export const testRule: FreshnessRule = {
  freshMs: 60_000,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 7 * 86_400_000,
  negativeMs: 10_000,
};

/** The whole engine over one upstream, everything in memory and on a clock that stands still. */
export class CacheBench {
  readonly clock = new ManualClock();
  readonly client = new MemoryRegistryClient();
  readonly index = new MemoryCacheIndex();
  readonly tags = new MemoryTagStore();
  readonly revisions = new MemoryRevisionStore();
  readonly store: BlobStore;
  readonly shelf: ManifestShelf;
  readonly delivery: DeliveryCheck;
  readonly manifests: ManifestCache;
  readonly blobs: BlobCache;
  readonly listings: ListingCache;
  readonly storedSizes: number[] = [];
  rule = testRule;
  archived: (tag: string) => boolean = () => false;
  breakerOpen = false;
  #away = false;
  #answeredAtMs: number | undefined;

  constructor(
    options: { readonly maxBytes?: number; readonly hotBytes?: number; readonly maxBlobBytes?: number } = {},
  ) {
    const { clock, index } = this;
    const memory = new MemoryBlobStore({ maxBytes: options.maxBytes ?? Infinity, clock });
    this.store = new WatchedBlobStore(memory, (digest) => {
      this.shelf.forget(digest);
      this.delivery.removed();
    });
    const shared = { blobs: this.store, index, clock, logger: silentLogger };
    this.shelf = new ManifestShelf({
      ...shared,
      revisions: this.revisions,
      hotBytes: options.hotBytes ?? 1_000_000,
      stored: (bytes) => this.storedSizes.push(bytes),
    });
    this.delivery = new DeliveryCheck({ ...shared, shelf: this.shelf });
    const { fills } = fillBench({
      blobs: this.store,
      clock,
      maxStoredBytes: options.maxBlobBytes ?? Infinity,
    });
    this.manifests = this.newManifestCache();
    this.recover();
    this.blobs = new BlobCache({ ...shared, fills });
    this.listings = new ListingCache({ index, clock });
  }

  /** A second one over the same stores is what a process finds after a restart. */
  newManifestCache(): ManifestCache {
    const { clock, delivery, index, shelf, tags } = this;
    return new ManifestCache({
      tags,
      shelf,
      delivery,
      index,
      clock,
      logger: silentLogger,
      hotTags: 100,
      revalidateWaitMs: 2_000,
    });
  }

  repository(name: RepositoryName = app): CachedRepository {
    return {
      upstream: {
        name: 'docker.io',
        client: this.client,
        health: () => ({
          away: this.#away,
          breakerOpen: this.breakerOpen,
          answeredAtMs: this.#answeredAtMs,
        }),
        freshness: () => this.rule,
        rule: this.rule,
        isArchived: (tag) => this.archived(tag),
      },
      key: { upstream: 'docker.io', repository: name },
    };
  }

  addImage(image: FakeImage, tag?: string, name = app): void {
    for (const { digest, bytes } of image.blobs) this.client.addBlob(name, digest, bytes);
    this.client.addManifest(name, image.manifest, tag);
  }

  addIndex(index: FakeIndex, tag?: string): void {
    for (const image of index.images) this.addImage(image);
    this.client.addManifest(app, index.manifest, tag);
  }

  /** Puts the blobs where pulls would have left them. */
  async storeBlobs(image: FakeImage): Promise<void> {
    for (const { digest, bytes } of image.blobs) await this.store.put(digest, bytes);
  }

  async pull(reference: string, name = app): Promise<ManifestAnswer> {
    return this.manifests.get(this.repository(name), parseReference(reference)!);
  }

  /** The upstream fails each call in this way from now on. */
  fail(kind: UpstreamErrorKind, retryAfterMs?: number): void {
    const isVerdict = kind === 'absent' || kind === 'denied';
    this.#away = !isVerdict;
    this.#answeredAtMs = isVerdict ? this.clock.monotonicMs() : undefined;
    this.client.script.beforeCall = () => {
      throw new UpstreamError(kind, kind, retryAfterMs === undefined ? {} : { retryAfterMs });
    };
  }

  /** It answers, which is known from its next answer on. */
  recover(): void {
    this.client.script.beforeCall = () => {
      this.#away = false;
      this.breakerOpen = false;
      this.#answeredAtMs = this.clock.monotonicMs();
    };
  }

  /** What was asked since the last look, as `operation subject`. */
  asked(): string[] {
    return this.client.calls.splice(0).map(({ operation, subject }) => `${operation} ${subject}`);
  }
}
