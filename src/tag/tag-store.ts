import type { Digest } from '../oci/digest.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { Tag } from '../oci/tag.ts';

/** Names one repository of one upstream. `upstream` is the configured name, such as `docker.io`. */
export interface RepositoryKey {
  readonly upstream: string;
  readonly repository: RepositoryName;
}

/** What a tag pointed at when its upstream was last asked. */
export interface TagRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  /** When the upstream last confirmed it, in milliseconds since the epoch. */
  readonly checkedAtMs: number;
}

/** A manifest that its upstream has served in a repository: the bytes lie in the blob store under the digest. */
export interface RevisionRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** name -> digest, one repository at a time. Writes are atomic: a reader sees the old record or the new one, also after a crash. */
export interface TagStore {
  get(key: RepositoryKey, tag: Tag): Promise<TagRecord | undefined>;
  put(key: RepositoryKey, tag: Tag, record: TagRecord): Promise<void>;
  remove(key: RepositoryKey, tag: Tag): Promise<void>;
  /** The tags of one repository, in no order. */
  names(key: RepositoryKey): AsyncIterable<Tag>;
}

/** Which manifests belong to a repository. Same guarantees as TagStore. */
export interface RevisionStore {
  get(key: RepositoryKey, digest: Digest): Promise<RevisionRecord | undefined>;
  put(key: RepositoryKey, record: RevisionRecord): Promise<void>;
  remove(key: RepositoryKey, digest: Digest): Promise<void>;
  /** Every record there is, for rebuilding an index. */
  list(): AsyncIterable<RevisionEntry>;
  /** Each repository that has ever held a revision, once, in no order; it may be empty by now. */
  repositories(): AsyncIterable<RepositoryKey>;
  /** The digests of one repository's revisions, in no order. */
  digests(key: RepositoryKey): AsyncIterable<Digest>;
}

export interface RevisionEntry {
  readonly key: RepositoryKey;
  readonly record: RevisionRecord;
}
