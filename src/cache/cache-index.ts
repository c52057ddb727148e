import type { Digest } from '../oci/digest.ts';
import type { RepositoryKey } from '../tag/tag-store.ts';

/**
 * What the cache knows about its own content, all of it derived: the blobs and records on disk are the truth and the
 * index can be rebuilt from them. Calls are synchronous and short. No method throws when its storage fails: it logs,
 * counts, and answers as if the fact were unknown, so that a pull never fails because of the index.
 */
export interface CacheIndex extends LinkIndex, UsageIndex, ListingIndex {
  close(): void;
}

/** Which digests a repository is known to hold. A digest is served through a repository only if it is linked there. */
export interface LinkIndex {
  /** `undefined` when not linked; the size is `undefined` where no descriptor told it. */
  linked(key: RepositoryKey, digest: Digest): Link | undefined;
  link(key: RepositoryKey, links: readonly Link[]): void;
  /** Repositories that link it, at most `limit`: where it can be fetched again. */
  holders(digest: Digest, limit: number): readonly RepositoryKey[];
  unlink(key: RepositoryKey, digest: Digest): void;
  /** After a verdict that the repository is gone or closed; its listings go too. */
  unlinkAll(key: RepositoryKey): void;
}

export interface Link {
  readonly digest: Digest;
  readonly size: number | undefined;
}

/** Who used how many bytes when: what eviction, quotas and metrics stand on. */
export interface UsageIndex {
  /**
   * A blob or manifest came in. `children` are the digests that a manifest names: its coming is a use of those that are
   * here. What is recorded already keeps its upstream, unless that was '' (content of no upstream), and its later use.
   */
  record(entry: UsageEntry): void;
  /**
   * Remembers a use, and for a manifest the use of what it names, so that the blobs of a live image go last.
   * Cheap: uses are gathered in memory and written together.
   */
  touch(digest: Digest, atMs: number): void;
  forget(digest: Digest): void;
  usage(digest: Digest): UsageEntry | undefined;
  /** Keeps content from being evicted until `untilMs`, at least; it may come in later. Does not reach its children. */
  pin(digest: Digest, untilMs: number): void;
  unpin(digest: Digest): void;
  /** `undefined` when it was not pinned, or its pin was dropped; may lie in the past. */
  pinnedUntilMs(digest: Digest): number | undefined;
  /** The unpinned entries used longest ago, of one upstream or of all, at most `limit`. */
  oldest(options: {
    readonly upstream?: string;
    readonly limit: number;
    readonly nowMs: number;
  }): readonly UsageEntry[];
  totals(): UsageTotals;
}

export interface UsageEntry {
  readonly digest: Digest;
  readonly size: number;
  /** The upstream whose quota it counts against: the first that filled it. */
  readonly upstream: string;
  readonly usedAtMs: number;
  readonly children: readonly Digest[];
}

export interface UsageTotals {
  readonly blobs: number;
  readonly bytes: number;
  readonly bytesByUpstream: ReadonlyMap<string, number>;
}

/** Tag lists and referrers as the upstream gave them; small, bounded, dropped when there are too many. */
export interface ListingIndex {
  listing(key: RepositoryKey, subject: string): Listing | undefined;
  putListing(key: RepositoryKey, subject: string, listing: Listing): void;
}

export interface Listing {
  /** JSON text. */
  readonly body: string;
  readonly checkedAtMs: number;
}
