import type { RepositoryKey } from '../tag/tag-store.ts';
import type { Tag } from '../oci/tag.ts';
import type { RegistryClient, UpstreamHealth } from '../upstream/registry-client.ts';
import type { FreshnessRule } from './freshness.ts';

/** One upstream as the cache sees it. */
export interface CachedUpstream {
  /** The configured name, `docker.io`. */
  readonly name: string;
  readonly client: RegistryClient;
  health(): UpstreamHealth;
  freshness(tag: Tag): FreshnessRule;
  /** For what has no tag: listings, digests, blobs. */
  readonly rule: FreshnessRule;
  /** Whether a tag that the upstream no longer has is still served. */
  isArchived(tag: Tag): boolean;
}

/** A repository of an upstream that the caller may pull from: whoever makes one has checked that. */
export interface CachedRepository {
  readonly upstream: CachedUpstream;
  readonly key: RepositoryKey;
}
