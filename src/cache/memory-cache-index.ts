import type { CacheIndex, Link, Listing, UsageEntry, UsageTotals } from './cache-index.ts';
import { UsageTally } from './usage-tally.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryKey } from '../tag/tag-store.ts';

/**
 * The index as plain maps: the reference that other adapters are compared with, and enough for a cache whose blobs
 * live in memory too. It grows with the content it describes and forgets all of it with the process.
 */
export class MemoryCacheIndex implements CacheIndex {
  readonly #links = new Map<string, Map<Digest, Link>>();
  readonly #keys = new Map<string, RepositoryKey>();
  readonly #entries = new Map<Digest, UsageEntry>();
  readonly #pins = new Map<Digest, number>();
  readonly #listings = new Map<string, Map<string, Listing>>();
  readonly #tally = new UsageTally();

  linked(key: RepositoryKey, digest: Digest): Link | undefined {
    return this.#links.get(repositoryId(key))?.get(digest);
  }

  link(key: RepositoryKey, links: readonly Link[]): void {
    const id = repositoryId(key);
    this.#keys.set(id, key);
    const known = this.#links.get(id) ?? new Map<Digest, Link>();
    this.#links.set(id, known);
    for (const { digest, size } of links) {
      known.set(digest, { digest, size: size ?? known.get(digest)?.size });
    }
  }

  holders(digest: Digest, limit: number): readonly RepositoryKey[] {
    const keys = [...this.#keys].filter(([id]) => this.#links.get(id)?.has(digest) === true);
    return keys.slice(0, limit).map(([, key]) => key);
  }

  unlink(key: RepositoryKey, digest: Digest): void {
    this.#links.get(repositoryId(key))?.delete(digest);
  }

  unlinkAll(key: RepositoryKey): void {
    this.#links.delete(repositoryId(key));
    this.#listings.delete(repositoryId(key));
  }

  record(entry: UsageEntry): void {
    const known = this.#entries.get(entry.digest);
    if (known !== undefined) this.#tally.add(known.upstream, -1, -known.size);
    const usedAtMs = Math.floor(entry.usedAtMs);
    const upstream = known === undefined || known.upstream === '' ? entry.upstream : known.upstream;
    this.#entries.set(entry.digest, {
      digest: entry.digest,
      size: entry.size,
      upstream,
      usedAtMs: Math.max(usedAtMs, known?.usedAtMs ?? usedAtMs),
      children: [...new Set([...(known?.children ?? []), ...entry.children])].sort(),
    });
    this.#tally.add(upstream, 1, entry.size);
    if (entry.children.length > 0) this.touch(entry.digest, usedAtMs);
  }

  touch(digest: Digest, atMs: number): void {
    const usedAtMs = Math.floor(atMs);
    const seen = new Set([digest]);
    // A set is walked in the order of insertion, additions included: breadth first, each digest once.
    for (const each of seen) {
      const entry = this.#entries.get(each);
      if (entry === undefined) continue;
      for (const child of entry.children) seen.add(child);
      if (entry.usedAtMs < usedAtMs) this.#entries.set(each, { ...entry, usedAtMs });
    }
  }

  forget(digest: Digest): void {
    const known = this.#entries.get(digest);
    if (known === undefined) return;
    this.#entries.delete(digest);
    this.#tally.add(known.upstream, -1, -known.size);
  }

  usage(digest: Digest): UsageEntry | undefined {
    return this.#entries.get(digest);
  }

  pin(digest: Digest, untilMs: number): void {
    this.#pins.set(digest, Math.max(Math.floor(untilMs), this.#pins.get(digest) ?? 0));
  }

  unpin(digest: Digest): void {
    this.#pins.delete(digest);
  }

  pinnedUntilMs(digest: Digest): number | undefined {
    return this.#pins.get(digest);
  }

  oldest(options: {
    readonly upstream?: string;
    readonly limit: number;
    readonly nowMs: number;
  }): readonly UsageEntry[] {
    const free = (entry: UsageEntry): boolean =>
      (options.upstream === undefined || entry.upstream === options.upstream) &&
      (this.#pins.get(entry.digest) ?? 0) <= options.nowMs;
    return [...this.#entries.values()].filter(free).sort(byUse).slice(0, options.limit);
  }

  totals(): UsageTotals {
    return this.#tally;
  }

  listing(key: RepositoryKey, subject: string): Listing | undefined {
    return this.#listings.get(repositoryId(key))?.get(subject);
  }

  putListing(key: RepositoryKey, subject: string, listing: Listing): void {
    const id = repositoryId(key);
    const known = this.#listings.get(id) ?? new Map<string, Listing>();
    this.#listings.set(id, known.set(subject, listing));
  }

  close(): void {
    // Nothing is held that outlives the object.
  }
}

/** A space can stand in neither part. */
function repositoryId(key: RepositoryKey): string {
  return `${key.upstream} ${key.repository}`;
}

function byUse(a: UsageEntry, b: UsageEntry): number {
  if (a.usedAtMs !== b.usedAtMs) return a.usedAtMs - b.usedAtMs;
  return a.digest < b.digest ? -1 : 1;
}
