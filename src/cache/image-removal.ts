import type { BlobReader, BlobSweeper } from '../blob/blob-store.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Tag } from '../oci/tag.ts';
import type { RepositoryKey, RevisionStore, TagStore } from '../tag/tag-store.ts';
import type { BlobFills } from './blob-fills.ts';
import type { CacheIndex } from './cache-index.ts';
import type { ManifestCache } from './manifest-cache.ts';
import { RepositoryGraph } from './repository-graph.ts';

export interface RemovalOptions {
  readonly tags: TagStore;
  readonly revisions: RevisionStore;
  readonly index: CacheIndex;
  readonly blobs: Pick<BlobReader, 'stat'> & Pick<BlobSweeper, 'remove'>;
  readonly manifests: Pick<ManifestCache, 'forgetTag'>;
  readonly fills: Pick<BlobFills, 'isRunning'>;
}

export interface Removal {
  readonly tags: number;
  readonly manifests: number;
  /** Manifests and blobs whose bytes were freed. */
  readonly blobs: number;
  readonly freedBytes: number;
}

/**
 * Forgets images at an administrator's word, pins or not. What another tag or digest of the repository needs stays, and so
 * does what another repository is known to hold: eviction takes it when nobody uses it.
 */
export class ImageRemoval {
  readonly #options: RemovalOptions;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /**
   * A tag; or a manifest with all tags that point at it; or, without a reference, the whole repository. `undefined` when
   * nothing is known under that name. Fails with StorageError; what was removed before is gone then.
   */
  async remove(key: RepositoryKey, reference: Reference | undefined): Promise<Removal | undefined> {
    const graph = await RepositoryGraph.read(this.#options, key);
    const target = targetOf(graph, reference);
    if (target.tags.length === 0 && target.digests.length === 0) return undefined;
    for (const tag of target.tags) await this.#options.manifests.forgetTag(key, tag);
    const staying = new Set(
      [...graph.tags].filter(([tag]) => !target.tags.includes(tag)).map(([, digest]) => digest),
    );
    for (const digest of graph.untagged()) staying.add(digest);
    if (reference?.kind !== 'tag') for (const digest of target.digests) staying.delete(digest);
    const needed = graph.closure(staying);
    let manifests = 0;
    let blobs = 0;
    let freedBytes = 0;
    for (const digest of graph.closure(target.digests)) {
      if (needed.has(digest)) continue;
      if (graph.revisions.has(digest)) {
        await this.#options.revisions.remove(key, digest);
        manifests += 1;
      }
      const freed = await this.#release(key, digest);
      if (freed === undefined) continue;
      blobs += 1;
      freedBytes += freed;
    }
    if (reference === undefined) this.#options.index.unlinkAll(key);
    return { tags: target.tags.length, manifests, blobs, freedBytes };
  }

  /** The bytes freed; `undefined` when there were none, or somebody else needs them. The order is the evictor's. */
  async #release(key: RepositoryKey, digest: Digest): Promise<number | undefined> {
    const { blobs, fills, index } = this.#options;
    index.unlink(key, digest);
    if (fills.isRunning(digest) || index.holders(digest, 1).length > 0) return undefined;
    index.unpin(digest);
    const stat = await blobs.stat(digest);
    await blobs.remove(digest);
    index.forget(digest);
    return stat?.size;
  }
}

interface Target {
  readonly tags: readonly Tag[];
  readonly digests: readonly Digest[];
}

function targetOf({ revisions, tags }: RepositoryGraph, reference: Reference | undefined): Target {
  if (reference === undefined) {
    return { tags: [...tags.keys()], digests: [...new Set([...revisions, ...tags.values()])] };
  }
  if (reference.kind === 'tag') {
    const digest = tags.get(reference.tag);
    return digest === undefined ? { tags: [], digests: [] } : { tags: [reference.tag], digests: [digest] };
  }
  const { digest } = reference;
  const pointing = [...tags].filter(([, target]) => target === digest).map(([tag]) => tag);
  return { tags: pointing, digests: revisions.has(digest) || pointing.length > 0 ? [digest] : [] };
}
