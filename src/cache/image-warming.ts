import type { Limiter } from '../base/limiter.ts';
import type { Digest } from '../oci/digest.ts';
import { isEmptyBlob } from '../oci/empty-blob.ts';
import { isForeignLayer } from '../oci/manifest-links.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { BlobReader } from '../blob/blob-store.ts';
import type { BlobCache } from './blob-cache.ts';
import type { BlobFills } from './blob-fills.ts';
import type { CachedRepository } from './cached-upstream.ts';
import type { HotManifest } from './hot-manifests.ts';
import type { ManifestCache } from './manifest-cache.ts';

export interface WarmingOptions {
  readonly manifests: Pick<ManifestCache, 'get'>;
  readonly blobs: Pick<BlobCache, 'find'>;
  readonly fills: Pick<BlobFills, 'settled'>;
  readonly store: Pick<BlobReader, 'stat'>;
  /** Blobs that are brought at a time, all images together. */
  readonly transfers: Limiter;
}

export interface WarmRequest {
  readonly repository: CachedRepository;
  readonly reference: Reference;
  /** Of an index only these; all of them where it is `undefined`. */
  readonly platforms: readonly Platform[] | undefined;
  /** Ends it with its reason, between two pieces of a blob. */
  readonly signal: AbortSignal;
}

export interface WarmResult {
  readonly digest: Digest;
  /** Images of an index that were brought, or 1. */
  readonly images: number;
  readonly blobs: number;
  /** Blob bytes that came from the upstream. */
  readonly fetchedBytes: number;
  /** Blob bytes that were here before. */
  readonly presentBytes: number;
}

/** The cache can't keep what it was asked to bring. */
export class NotKeptError extends Error {
  override readonly name = 'NotKeptError';
  readonly code = 'NOT_KEPT';
}

/** The index has no image for any of the platforms. */
export class NoSuchPlatformError extends Error {
  override readonly name = 'NoSuchPlatformError';
  readonly code = 'NO_SUCH_PLATFORM';
}

const maxIndexDepth = 4;
const drainBytes = 256 * 1024;

/** Brings whole images into the cache, the way a pull does: what is here is not fetched again. */
export class ImageWarming {
  readonly #options: WarmingOptions;

  constructor(options: WarmingOptions) {
    this.#options = options;
  }

  /** Fails with OciError as a pull does, with NotKeptError, NoSuchPlatformError, and with the reason of the signal. */
  async warm(request: WarmRequest): Promise<WarmResult> {
    const { repository, reference } = request;
    const { manifest } = await this.#options.manifests.get(repository, reference);
    const images = await this.#images(request, manifest, 0);
    if (images.length === 0) throw new NoSuchPlatformError('it has no image for the platforms asked for');
    const wanted = images.flatMap(({ links }) => links.blobs);
    const digests = new Set(
      wanted.filter((blob) => !isForeignLayer(blob) && !isEmptyBlob(blob.digest)).map(({ digest }) => digest),
    );
    // All are waited for: nothing goes on behind the back of whoever was told of a failure.
    const outcomes = await Promise.allSettled(
      [...digests].map(async (digest) =>
        this.#options.transfers.run(async () => this.#bring(request, digest), request.signal),
      ),
    );
    const brought = outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
    const sum = (wasHere: boolean): number =>
      brought.reduce((total, blob) => total + (blob.wasHere === wasHere ? blob.size : 0), 0);
    return {
      digest: manifest.digest,
      images: images.length,
      blobs: digests.size,
      fetchedBytes: sum(false),
      presentBytes: sum(true),
    };
  }

  async #images(request: WarmRequest, manifest: HotManifest, depth: number): Promise<readonly HotManifest[]> {
    const { platforms, repository, signal } = request;
    const children = manifest.links.manifests;
    if (children.length === 0 || depth > maxIndexDepth) return [manifest];
    const images: HotManifest[] = [];
    for (const { digest, platform } of children) {
      signal.throwIfAborted();
      if (platforms !== undefined && !platforms.some((wanted) => isWanted(platform, wanted))) continue;
      const child = await this.#options.manifests.get(repository, { kind: 'digest', digest });
      images.push(...(await this.#images(request, child.manifest, depth + 1)));
    }
    return images;
  }

  async #bring(
    { repository, signal }: WarmRequest,
    digest: Digest,
  ): Promise<{ readonly size: number; readonly wasHere: boolean }> {
    const found = await this.#options.blobs.find(repository, digest, 'whole');
    const { outcome, size } = found;
    if (outcome.kind === 'hit') return { size, wasHere: true };
    if (outcome.kind === 'pass-through') throw notKept(digest, size);
    const source = await found.open(0, undefined);
    try {
      const buffer = Buffer.allocUnsafe(drainBytes);
      while ((await source.read(buffer)) > 0) signal.throwIfAborted();
    } finally {
      await source.close();
    }
    // Readers get the last bytes a moment before the blob is stored.
    await this.#options.fills.settled(digest);
    if ((await this.#options.store.stat(digest)) === undefined) throw notKept(digest, size);
    return { size, wasHere: false };
  }
}

/** A variant counts only where it was asked for: `linux/arm64` takes what says `linux/arm64/v8`. */
function isWanted(platform: Platform | undefined, wanted: Platform): boolean {
  if (platform === undefined) return false;
  if (platform.os !== wanted.os || platform.architecture !== wanted.architecture) return false;
  return wanted.variant === undefined || platform.variant === wanted.variant;
}

function notKept(digest: Digest, size: number): NotKeptError {
  return new NotKeptError(
    `${digest} (${size} bytes) could not be kept: too large for the cache, or the disk is full`,
  );
}
