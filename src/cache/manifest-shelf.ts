import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { BlobStore } from '../blob/blob-store.ts';
import { digestAlgorithm, digestHex, type Digest } from '../oci/digest.ts';
import type { RepositoryKey, RevisionStore } from '../tag/tag-store.ts';
import type { FetchedManifest } from '../upstream/registry-client.ts';
import type { CacheIndex } from './cache-index.ts';
import { vouchedBlobs } from '../oci/manifest-links.ts';
import { hotManifest, type HotManifest, HotManifests } from './hot-manifests.ts';

/** distribution-spec: registries SHOULD accept manifests of at least 4 MiB; none of ours is larger. */
const maxManifestBytes = 4 * 1024 * 1024;
const maxIndexDepth = 4;

export interface ManifestShelfOptions {
  readonly blobs: BlobStore;
  readonly revisions: RevisionStore;
  readonly index: CacheIndex;
  readonly hotBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after a manifest came in, with its size: the budget may have to make room. */
  readonly stored: (bytes: number) => void;
}

/** The manifests that are here: in memory, else on disk. Bytes are kept exactly as the upstream sent them. */
export class ManifestShelf {
  readonly #options: ManifestShelfOptions;
  readonly #hot: HotManifests;

  constructor(options: ManifestShelfOptions) {
    this.#options = options;
    this.#hot = new HotManifests(options.hotBytes);
  }

  /** Without a turn of the event loop: only what is in memory and linked in that repository. */
  hot(key: RepositoryKey, digest: Digest): HotManifest | undefined {
    if (this.#options.index.linked(key, digest) === undefined) return undefined;
    return this.#hot.get(key, digest);
  }

  /** `undefined` when it is not here, or not known to belong to that repository. */
  async get(key: RepositoryKey, digest: Digest): Promise<HotManifest | undefined> {
    const manifest = await this.peek(key, digest);
    if (manifest !== undefined && this.#hot.get(key, digest) === undefined) this.#hot.put(key, manifest);
    return manifest;
  }

  /** The same, leaving memory to what clients ask for: for whoever looks through the cache. */
  async peek(key: RepositoryKey, digest: Digest): Promise<HotManifest | undefined> {
    const { index, revisions } = this.#options;
    if (index.linked(key, digest) === undefined) return undefined;
    const hot = this.#hot.get(key, digest);
    if (hot !== undefined) return hot;
    const revision = await revisions.get(key, digest);
    const bytes = revision === undefined ? undefined : await this.#read(digest);
    if (revision === undefined || bytes === undefined) return undefined;
    return hotManifest(digest, revision.mediaType, bytes);
  }

  /** Keeps a manifest that the upstream has just served in that repository. A full disk only costs the keeping. */
  async put(key: RepositoryKey, fetched: FetchedManifest): Promise<HotManifest> {
    const { blobs, index, revisions, logger, stored } = this.#options;
    const { digest, mediaType, bytes } = fetched;
    const manifest = hotManifest(digest, mediaType, bytes);
    const vouched = vouchedBlobs(manifest.links).map((blob) => ({ digest: blob.digest, size: blob.size }));
    index.link(key, [{ digest, size: bytes.length }, ...vouched]);
    try {
      await blobs.put(digest, bytes);
      this.#recordUse(key, manifest);
      stored(bytes.length);
      await revisions.put(key, { digest, mediaType, size: bytes.length });
    } catch (error) {
      logger.warn('a manifest could not be stored', { ...key, digest, error });
    }
    this.#hot.put(key, manifest);
    return manifest;
  }

  /** The upstream says that this repository holds a manifest whose bytes are here already: links it. */
  async adopt(key: RepositoryKey, digest: Digest, mediaType: string): Promise<HotManifest | undefined> {
    const bytes = await this.#read(digest);
    return bytes === undefined ? undefined : this.put(key, { digest, mediaType, bytes });
  }

  /**
   * Links again what an archived tag names, in a repository that was closed since; `undefined` when it is no longer here.
   */
  async reopen(key: RepositoryKey, digest: Digest, depth = 0): Promise<HotManifest | undefined> {
    const revision = await this.#options.revisions.get(key, digest);
    const manifest = revision && (await this.adopt(key, digest, revision.mediaType));
    if (manifest === undefined || depth === maxIndexDepth) return manifest;
    for (const child of manifest.links.manifests) await this.reopen(key, child.digest, depth + 1);
    return manifest;
  }

  /** After something was removed from the store. */
  forget(digest: Digest): void {
    this.#hot.forget(digest);
  }

  /** After a verdict that the repository is closed: nothing of it is served until the upstream links it again. */
  forgetAll(key: RepositoryKey): void {
    this.#hot.forgetAll(key);
    this.#options.index.unlinkAll(key);
  }

  #recordUse({ upstream }: RepositoryKey, { digest, bytes, links }: HotManifest): void {
    const { clock, index } = this.#options;
    const children = [...links.blobs, ...links.manifests].map((child) => child.digest);
    index.record({ digest, size: bytes.length, upstream, usedAtMs: clock.nowMs(), children });
  }

  /** Bytes that no longer match their digest are put aside and count as absent. */
  async #read(digest: Digest): Promise<Uint8Array | undefined> {
    const { blobs, logger } = this.#options;
    const source = await blobs.open(digest);
    if (source === undefined) return undefined;
    if (source.length > maxManifestBytes) {
      await source.close(); // a blob asked for as if it were a manifest
      return undefined;
    }
    const bytes = Buffer.allocUnsafe(source.length);
    try {
      for (let position = 0; position < bytes.length;) {
        position += await source.read(bytes.subarray(position));
      }
    } finally {
      await source.close();
    }
    const hash = createHash(digestAlgorithm(digest)).update(bytes).digest('hex');
    if (hash === digestHex(digest)) return bytes;
    logger.error('a stored manifest is damaged: put aside', { digest });
    await blobs.quarantine(digest);
    this.#options.index.forget(digest);
    return undefined;
  }
}
