import type { Logger } from '../base/logger.ts';
import type { Digest } from '../oci/digest.ts';
import type { RevisionStore } from '../tag/tag-store.ts';
import type { BlobCache } from './blob-cache.ts';
import type { LinkIndex } from './cache-index.ts';
import type { CachedRepository, CachedUpstream } from './cached-upstream.ts';
import type { ManifestCache } from './manifest-cache.ts';

export interface RefetchOptions {
  readonly blobs: Pick<BlobCache, 'find'>;
  readonly manifests: Pick<ManifestCache, 'get'>;
  readonly revisions: RevisionStore;
  readonly index: LinkIndex;
  readonly upstreams: ReadonlyMap<string, CachedUpstream>;
  readonly logger: Logger;
}

/** Repositories that are tried before it is left to the next pull. */
const maxHolders = 3;
const drainBytes = 256 * 1024;

/** Brings back what was lost here, from a repository that is known to hold it. */
export class Refetch {
  readonly #options: RefetchOptions;

  constructor(options: RefetchOptions) {
    this.#options = options;
  }

  /** Whether it is here again. Never fails: what cannot be had now is fetched by the pull that needs it. */
  async fetch(digest: Digest): Promise<boolean> {
    const { index, logger, upstreams } = this.#options;
    for (const key of index.holders(digest, maxHolders)) {
      const upstream = upstreams.get(key.upstream);
      if (upstream === undefined || upstream.health().breakerOpen) continue;
      try {
        await this.#fetchFrom({ key, upstream }, digest);
        logger.info('fetched again', { ...key, digest });
        return true;
      } catch (error) {
        logger.warn('could not be fetched again', { ...key, digest, error });
      }
    }
    return false;
  }

  async #fetchFrom(repository: CachedRepository, digest: Digest): Promise<void> {
    const { blobs, manifests, revisions } = this.#options;
    if ((await revisions.get(repository.key, digest)) !== undefined) {
      await manifests.get(repository, { kind: 'digest', digest });
      return;
    }
    const found = await blobs.find(repository, digest, 'whole');
    const source = await found.open(0, undefined);
    try {
      const buffer = Buffer.allocUnsafe(drainBytes);
      while ((await source.read(buffer)) > 0);
    } finally {
      await source.close();
    }
  }
}
