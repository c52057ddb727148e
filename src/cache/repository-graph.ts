import { setImmediate as turn } from 'node:timers/promises';
import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/tag.ts';
import type { RepositoryKey, RevisionStore, TagStore } from '../tag/tag-store.ts';
import type { UsageIndex } from './cache-index.ts';

export interface RepositoryRecordsSource {
  readonly tags: TagStore;
  readonly revisions: RevisionStore;
  readonly index: Pick<UsageIndex, 'usage'>;
}

/** Records of one kind that are looked at in one repository; what lies beyond is treated as if it were not there. */
const maxRecords = 20_000;
/** Synchronous questions to the index between two turns of the event loop. */
const batchSize = 64;

/** Which manifests of one repository are there, what points at them, and what they need. A picture of one moment. */
export class RepositoryGraph {
  readonly tags: ReadonlyMap<Tag, Digest>;
  readonly revisions: ReadonlySet<Digest>;
  readonly #children: ReadonlyMap<Digest, readonly Digest[]>;

  private constructor(
    tags: ReadonlyMap<Tag, Digest>,
    revisions: ReadonlySet<Digest>,
    children: ReadonlyMap<Digest, readonly Digest[]>,
  ) {
    this.tags = tags;
    this.revisions = revisions;
    this.#children = children;
  }

  /** Fails with StorageError when the records can't be listed. */
  static async read(
    { tags, revisions, index }: RepositoryRecordsSource,
    key: RepositoryKey,
  ): Promise<RepositoryGraph> {
    const tagged = new Map<Tag, Digest>();
    for await (const tag of tags.names(key)) {
      if (tagged.size >= maxRecords) break;
      const record = await tags.get(key, tag);
      if (record !== undefined) tagged.set(tag, record.digest);
    }
    const children = new Map<Digest, readonly Digest[]>();
    for await (const digest of revisions.digests(key)) {
      if (children.size >= maxRecords) break;
      children.set(digest, index.usage(digest)?.children ?? []);
      if (children.size % batchSize === 0) await turn();
    }
    return new RepositoryGraph(tagged, new Set(children.keys()), children);
  }

  /** What was asked for itself: everything tagged, and manifests that no other manifest names. */
  roots(): ReadonlySet<Digest> {
    return new Set([...this.tags.values(), ...this.untagged()]);
  }

  /** Manifests that were pulled by digest: no tag points at them and no other manifest names them. */
  untagged(): readonly Digest[] {
    const named = new Set([...this.tags.values(), ...[...this.#children.values()].flat()]);
    return [...this.revisions].filter((digest) => !named.has(digest));
  }

  /** The digests and all that they name, as far as their manifests are here. */
  closure(digests: Iterable<Digest>): ReadonlySet<Digest> {
    const reached = new Set(digests);
    // A set is walked in the order of insertion, additions included.
    for (const digest of reached) for (const child of this.#children.get(digest) ?? []) reached.add(child);
    return reached;
  }
}
