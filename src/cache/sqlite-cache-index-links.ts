import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import type { RepositoryKey } from '../tag/tag-store.ts';
import type { Link, LinkIndex } from './cache-index.ts';
import { encodeDigest } from './sqlite-cache-index-digest.ts';
import type { SqliteCacheIndexGuard } from './sqlite-cache-index-guard.ts';

export interface SqliteCacheIndexLinksOptions {
  readonly database: DatabaseSync;
  readonly guard: SqliteCacheIndexGuard;
  readonly clock: Clock;
  /** Answers kept in memory. */
  readonly maxHotLinks: number;
  /** Above it the repositories linked longest ago are forgotten: one question each to the upstream when used again. */
  readonly maxLinks: number;
}

/** Counting the rows takes milliseconds, so it is done once for so many links that came in. */
const linksPerCount = 10_000;

/** Revocations remembered while the storage fails; beyond them only what is in memory is believed. */
const maxRevoked = 10_000;

/** Links in the tables `repositories` and `links`, with the hot ones in memory. */
export class SqliteCacheIndexLinks implements LinkIndex {
  readonly #guard: SqliteCacheIndexGuard;
  readonly #clock: Clock;
  readonly #maxLinks: number;
  readonly #hot: LRUCache<string, Link>;
  readonly #statements: ReturnType<typeof prepare>;
  /** Taken back, but still in the database. */
  readonly #revoked = new Set<string>();
  #distrusted = false;
  #linksSinceCount = 0;

  constructor(options: SqliteCacheIndexLinksOptions) {
    this.#guard = options.guard;
    this.#clock = options.clock;
    this.#maxLinks = options.maxLinks;
    this.#hot = new LRUCache({ max: options.maxHotLinks });
    this.#statements = prepare(options.database);
  }

  linked(key: RepositoryKey, digest: Digest): Link | undefined {
    const id = linkId(key, digest);
    const hot = this.#hot.get(id);
    if (hot !== undefined) return hot;
    if (this.isRevoked(key, digest)) return undefined;
    const row = this.#guard.read(() =>
      this.#statements.find.get(key.upstream, key.repository, encodeDigest(digest)),
    );
    if (row === undefined) return undefined;
    const link: Link = { digest, size: optionalNumber(row['size']) };
    this.#hot.set(id, link);
    return link;
  }

  link(key: RepositoryKey, links: readonly Link[]): void {
    if (links.length === 0) return;
    for (const { digest, size } of links) {
      const id = linkId(key, digest);
      this.#hot.set(id, { digest, size: size ?? this.linked(key, digest)?.size });
    }
    const nowMs = this.#clock.nowMs();
    this.#guard.write(() => {
      const repository = this.#statements.addRepository.get(key.upstream, key.repository, nowMs)?.['id'];
      for (const { digest, size } of links) {
        this.#statements.add.run(repository ?? null, encodeDigest(digest), size ?? null);
      }
    });
    this.#linksSinceCount += links.length;
    if (this.#linksSinceCount >= linksPerCount) this.trim();
  }

  holders(digest: Digest, limit: number): readonly RepositoryKey[] {
    const rows = this.#guard.read(() => this.#statements.holders.all(encodeDigest(digest), limit)) ?? [];
    return rows.flatMap((row) => {
      const [upstream, repository] = [String(row['upstream']), parseRepositoryName(String(row['name']))];
      if (repository === undefined || this.isRevoked({ upstream, repository }, digest)) return [];
      return [{ upstream, repository }];
    });
  }

  unlink(key: RepositoryKey, digest: Digest): void {
    this.#hot.delete(linkId(key, digest));
    this.#revoke(linkId(key, digest), () => {
      this.#statements.remove.run(key.upstream, key.repository, encodeDigest(digest));
    });
  }

  unlinkAll(key: RepositoryKey): void {
    const prefix = linkId(key, '');
    for (const id of [...this.#hot.keys()].filter((id) => id.startsWith(prefix))) this.#hot.delete(id);
    this.#revoke(prefix, () => {
      this.#statements.removeAll.run(key.upstream, key.repository);
      this.#statements.removeNamed.run(key.upstream, key.repository);
    });
  }

  /** Whether the database may still hold what was taken back. */
  isRevoked(key: RepositoryKey, digest: Digest | ''): boolean {
    if (this.#distrusted) return true;
    if (this.#revoked.size === 0) return false;
    if (!this.#guard.owing) {
      this.#revoked.clear();
      return false;
    }
    return this.#revoked.has(linkId(key, '')) || this.#revoked.has(linkId(key, digest));
  }

  /** Brings the number of links below its limit, whole repositories at a time. */
  trim(): void {
    this.#linksSinceCount = 0;
    this.#guard.write(() => {
      let excess = Number(this.#statements.count.get()?.['n'] ?? 0) - this.#maxLinks;
      while (excess > 0) {
        const oldest = this.#statements.oldestRepository.get()?.['id'];
        if (oldest === undefined) return;
        excess -= Number(this.#statements.removeByRepository.run(oldest).changes);
        this.#statements.removeRepository.run(oldest);
      }
    });
  }

  #revoke(id: string, remove: () => void): void {
    const outcome = this.#guard.write(remove);
    if (outcome === 'saved') return;
    if (outcome === 'dropped' || this.#revoked.size >= maxRevoked) this.#distrusted = true;
    else this.#revoked.add(id);
  }
}

function prepare(database: DatabaseSync): Record<StatementName, StatementSync> {
  const repository = '(SELECT id FROM repositories WHERE upstream = ?1 AND name = ?2)';
  return {
    find: database.prepare(`SELECT size FROM links WHERE repository = ${repository} AND digest = ?3`),
    holders: database.prepare(
      `SELECT upstream, name FROM links JOIN repositories ON repositories.id = links.repository
       WHERE digest = ? LIMIT ?`,
    ),
    addRepository: database.prepare(
      `INSERT INTO repositories (upstream, name, linked_at_ms) VALUES (?, ?, ?)
       ON CONFLICT (upstream, name) DO UPDATE SET linked_at_ms = excluded.linked_at_ms RETURNING id`,
    ),
    add: database.prepare(
      `INSERT INTO links (repository, digest, size) VALUES (?, ?, ?)
       ON CONFLICT (repository, digest) DO UPDATE SET size = coalesce(excluded.size, size)`,
    ),
    remove: database.prepare(`DELETE FROM links WHERE repository = ${repository} AND digest = ?3`),
    removeAll: database.prepare(`DELETE FROM links WHERE repository = ${repository}`),
    removeNamed: database.prepare('DELETE FROM repositories WHERE upstream = ? AND name = ?'),
    count: database.prepare('SELECT count(*) AS n FROM links'),
    oldestRepository: database.prepare('SELECT id FROM repositories ORDER BY linked_at_ms LIMIT 1'),
    removeByRepository: database.prepare('DELETE FROM links WHERE repository = ?'),
    removeRepository: database.prepare('DELETE FROM repositories WHERE id = ?'),
  };
}

type StatementName =
  | 'find'
  | 'holders'
  | 'addRepository'
  | 'add'
  | 'remove'
  | 'removeAll'
  | 'removeNamed'
  | 'count'
  | 'oldestRepository'
  | 'removeByRepository'
  | 'removeRepository';

/** A space can stand in none of the parts; without a digest it is the prefix of the repository's links. */
function linkId(key: RepositoryKey, digest: Digest | ''): string {
  return `${key.upstream} ${key.repository} ${digest}`;
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
