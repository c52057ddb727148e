import { mkdirSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import type { CacheIndex } from './cache-index.ts';
import { isStorageFailure, isUnusable } from './sqlite-cache-index-failure.ts';
import { SqliteCacheIndexGuard } from './sqlite-cache-index-guard.ts';
import { SqliteCacheIndexLinks } from './sqlite-cache-index-links.ts';
import { SqliteCacheIndexListings } from './sqlite-cache-index-listings.ts';
import { openIndexDatabase } from './sqlite-cache-index-schema.ts';
import { SqliteCacheIndexUsage } from './sqlite-cache-index-usage.ts';

export interface SqliteCacheIndexLimits {
  /** Links kept in memory, some 300 bytes each. */
  readonly maxHotLinks: number;
  /** Links in the database, some 50 bytes each on disk. */
  readonly maxLinks: number;
  /** Uses gathered in memory before they are written. */
  readonly maxPendingTouches: number;
  readonly touchFlushMs: number;
  readonly maxListingBytes: number;
}

export interface SqliteCacheIndexOptions extends SqliteCacheIndexLimits {
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface OpenedCacheIndex {
  readonly index: CacheIndex;
  /** The index does not describe what is on disk: it is new, or an earlier rebuild was not finished. */
  readonly needsRebuild: boolean;
  /** To be called when a rebuild went through, so that the next opening finds a complete index. */
  markRebuilt(): void;
}

/**
 * Opens the index in `file`, or an empty one where there is none. A file that is damaged or of another version is set
 * aside as `<file>.old`. Where the disk allows neither, the index lives in memory until the next start: an edge
 * serves its cache all the same.
 */
export function openSqliteCacheIndex(options: SqliteCacheIndexOptions): OpenedCacheIndex {
  const { file, logger } = options;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (existsSync(damageMark(file))) {
      logger.error('the cache index was found damaged; starting a new one', { file });
      setAside(file);
    }
    return openFile(options, file);
  } catch (error) {
    if (!isUnusable(error)) return openInMemory(options, error);
    logger.warn('the cache index can not be used; starting a new one', { file, error });
  }
  try {
    setAside(file);
    return openFile(options, file);
  } catch (error) {
    return openInMemory(options, error);
  }
}

function openInMemory(options: SqliteCacheIndexOptions, error: unknown): OpenedCacheIndex {
  if (!isStorageFailure(error) && !isSystemError(error)) throw error;
  options.logger.error('the cache index can not be opened; keeping it in memory', {
    file: options.file,
    error,
  });
  return openFile(options, ':memory:');
}

function openFile(options: SqliteCacheIndexOptions, file: string): OpenedCacheIndex {
  const database = openIndexDatabase(file);
  try {
    const rebuilt = database.prepare("SELECT value FROM facts WHERE name = 'rebuilt'").get()?.['value'];
    const guard = new SqliteCacheIndexGuard({ ...options, database, onDamage: () => markDamaged(options) });
    const index = new SqliteCacheIndex(options, database, guard);
    const markRebuilt = (): void => {
      guard.write(() => database.exec("INSERT OR REPLACE INTO facts VALUES ('rebuilt', 1)"));
    };
    return { index, needsRebuild: rebuilt !== 1, markRebuilt };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The parts of the index on one database. */
class SqliteCacheIndex implements CacheIndex {
  readonly #database: DatabaseSync;
  readonly #guard: SqliteCacheIndexGuard;
  readonly #links: SqliteCacheIndexLinks;
  readonly #usage: SqliteCacheIndexUsage;
  readonly #listings: SqliteCacheIndexListings;

  constructor(options: SqliteCacheIndexOptions, database: DatabaseSync, guard: SqliteCacheIndexGuard) {
    this.#database = database;
    this.#guard = guard;
    this.#links = new SqliteCacheIndexLinks({ ...options, database, guard });
    this.#usage = new SqliteCacheIndexUsage({ ...options, database, guard });
    this.#listings = new SqliteCacheIndexListings({ ...options, database, guard });
  }

  linked: CacheIndex['linked'] = (key, digest) => this.#links.linked(key, digest);
  link: CacheIndex['link'] = (key, links) => this.#links.link(key, links);
  holders: CacheIndex['holders'] = (digest, limit) => this.#links.holders(digest, limit);
  unlink: CacheIndex['unlink'] = (key, digest) => this.#links.unlink(key, digest);

  unlinkAll: CacheIndex['unlinkAll'] = (key) => {
    this.#links.unlinkAll(key);
    this.#listings.dropAll(key);
  };

  record: CacheIndex['record'] = (entry) => this.#usage.record(entry);
  touch: CacheIndex['touch'] = (digest, atMs) => this.#usage.touch(digest, atMs);
  forget: CacheIndex['forget'] = (digest) => this.#usage.forget(digest);
  usage: CacheIndex['usage'] = (digest) => this.#usage.usage(digest);
  pin: CacheIndex['pin'] = (digest, untilMs) => this.#usage.pin(digest, untilMs);
  unpin: CacheIndex['unpin'] = (digest) => this.#usage.unpin(digest);
  pinnedUntilMs: CacheIndex['pinnedUntilMs'] = (digest) => this.#usage.pinnedUntilMs(digest);
  oldest: CacheIndex['oldest'] = (options) => this.#usage.oldest(options);
  totals: CacheIndex['totals'] = () => this.#usage.totals();

  listing: CacheIndex['listing'] = (key, subject) =>
    this.#links.isRevoked(key, '') ? undefined : this.#listings.listing(key, subject);

  putListing: CacheIndex['putListing'] = (key, subject, listing) =>
    this.#listings.putListing(key, subject, listing);

  close(): void {
    this.#usage.close();
    this.#guard.close();
    if (this.#database.isOpen) this.#database.close();
  }
}

function damageMark(file: string): string {
  return `${file}.damaged`;
}

/** SQLite can't say so itself once its file is damaged; the next opening looks for the mark. */
function markDamaged(options: SqliteCacheIndexOptions): void {
  try {
    writeFileSync(damageMark(options.file), '');
  } catch (error) {
    options.logger.error('a damaged cache index could not be marked; remove it by hand', {
      file: options.file,
      error,
    });
  }
}

/** Keeps one unusable index for whoever investigates; its log belongs to it. */
function setAside(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    rmSync(`${file}.old${suffix}`, { force: true });
    if (existsSync(file + suffix)) renameSync(file + suffix, `${file}.old${suffix}`);
  }
  rmSync(damageMark(file), { force: true });
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
