import { Buffer } from 'node:buffer';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RepositoryKey } from '../tag/tag-store.ts';
import type { Listing, ListingIndex } from './cache-index.ts';
import type { SqliteCacheIndexGuard } from './sqlite-cache-index-guard.ts';

export interface SqliteCacheIndexListingsOptions {
  readonly database: DatabaseSync;
  readonly guard: SqliteCacheIndexGuard;
  /** Bytes of all listings together; one that takes more than a quarter of it is not kept. */
  readonly maxListingBytes: number;
}

/** The table `listings`; those checked longest ago make room for new ones. */
export class SqliteCacheIndexListings implements ListingIndex {
  readonly #guard: SqliteCacheIndexGuard;
  readonly #maxBytes: number;
  readonly #statements: ReturnType<typeof prepare>;
  #bytes: number;

  /** Fails with the errors of node:sqlite. */
  constructor(options: SqliteCacheIndexListingsOptions) {
    this.#guard = options.guard;
    this.#maxBytes = options.maxListingBytes;
    this.#statements = prepare(options.database);
    this.#bytes = this.#sum();
  }

  listing(key: RepositoryKey, subject: string): Listing | undefined {
    const row = this.#guard.read(() => this.#statements.find.get(key.upstream, key.repository, subject));
    if (row === undefined) return undefined;
    return { body: String(row['body']), checkedAtMs: Number(row['checked_at_ms']) };
  }

  putListing(key: RepositoryKey, subject: string, listing: Listing): void {
    // What the row takes besides its body counts too, so that many empty listings are bounded as well.
    const bytes = Buffer.byteLength(listing.body) + subject.length + key.repository.length + 64;
    const checkedAtMs = Math.floor(listing.checkedAtMs);
    this.#guard.write(() => {
      const { upstream, repository } = key;
      const replaced = Number(this.#statements.remove.get(upstream, repository, subject)?.['bytes'] ?? 0);
      let sum = this.#bytes - replaced;
      if (bytes <= this.#maxBytes / 4) {
        this.#statements.add.run(upstream, repository, subject, listing.body, bytes, checkedAtMs);
        sum += bytes;
      }
      while (sum > this.#maxBytes) {
        const dropped = this.#statements.dropOldest.get()?.['bytes'];
        if (dropped === undefined) break;
        sum -= Number(dropped);
      }
      return () => {
        this.#bytes = sum;
      };
    });
  }

  /** Drops what is known of a repository that is gone or closed. */
  dropAll(key: RepositoryKey): void {
    this.#guard.write(() => {
      this.#statements.removeAll.run(key.upstream, key.repository);
      const sum = this.#sum();
      return () => {
        this.#bytes = sum;
      };
    });
  }

  #sum(): number {
    return Number(this.#statements.sum.get()?.['bytes'] ?? 0);
  }
}

function prepare(database: DatabaseSync): Record<StatementName, StatementSync> {
  const one = 'upstream = ? AND name = ? AND subject = ?';
  return {
    find: database.prepare(`SELECT body, checked_at_ms FROM listings WHERE ${one}`),
    add: database.prepare(
      'INSERT INTO listings (upstream, name, subject, body, bytes, checked_at_ms) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    remove: database.prepare(`DELETE FROM listings WHERE ${one} RETURNING bytes`),
    removeAll: database.prepare('DELETE FROM listings WHERE upstream = ? AND name = ?'),
    dropOldest: database.prepare(
      `DELETE FROM listings WHERE rowid = (SELECT rowid FROM listings ORDER BY checked_at_ms LIMIT 1)
       RETURNING bytes`,
    ),
    sum: database.prepare('SELECT sum(bytes) AS bytes FROM listings'),
  };
}

type StatementName = 'find' | 'add' | 'remove' | 'removeAll' | 'dropOldest' | 'sum';
