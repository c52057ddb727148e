import { DatabaseSync } from 'node:sqlite';

/** Raised whenever the tables change: the index is derived, so another version is rebuilt rather than migrated. */
export const schemaVersion = 1;

/** Waiting blocks the event loop, and nobody but an administrator's shell shares the file. */
const busyTimeoutMs = 100;

/** 2 MiB of page cache: the hot answers are kept above the database, an idle edge has little memory. */
const cacheKib = 2048;

/**
 * `edges` is what a manifest names, `entries` what is here and when it was used last, `pins` what may not go before a
 * date, also of content that is not here yet. The date stands in `entries` too, and in its indexes: thousands of
 * pinned blobs at the front of the order are passed over without looking each one up. The sum of sizes is read from
 * the second index at opening.
 */
const tables = `
  CREATE TABLE repositories (
    id INTEGER PRIMARY KEY, upstream TEXT NOT NULL, name TEXT NOT NULL, linked_at_ms INTEGER NOT NULL,
    UNIQUE (upstream, name)
  ) STRICT;
  CREATE INDEX repositories_by_age ON repositories (linked_at_ms);
  CREATE TABLE links (
    repository INTEGER NOT NULL, digest BLOB NOT NULL, size INTEGER, PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX links_by_digest ON links (digest);
  CREATE TABLE entries (
    digest BLOB PRIMARY KEY, size INTEGER NOT NULL, upstream TEXT NOT NULL, used_at_ms INTEGER NOT NULL,
    pinned_until_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entries_by_use ON entries (used_at_ms, digest, pinned_until_ms);
  CREATE INDEX entries_by_upstream ON entries (upstream, used_at_ms, digest, pinned_until_ms, size);
  CREATE TABLE edges (
    parent BLOB NOT NULL, child BLOB NOT NULL, PRIMARY KEY (parent, child)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE pins (digest BLOB PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX pins_by_end ON pins (until_ms);
  CREATE TABLE listings (
    upstream TEXT NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
    bytes INTEGER NOT NULL, checked_at_ms INTEGER NOT NULL, PRIMARY KEY (upstream, name, subject)
  ) STRICT;
  CREATE INDEX listings_by_age ON listings (checked_at_ms, bytes);
  CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** The file holds tables of another version. */
export class SchemaMismatchError extends Error {
  override readonly name = 'SchemaMismatchError';
  readonly code = 'SCHEMA_MISMATCH';
}

/**
 * Opens the database and creates its tables where it is empty.
 * Fails with SchemaMismatchError, and with the errors of node:sqlite.
 */
export function openIndexDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
    const tableCount = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
    const isEmpty = version === 0 && tableCount === 0;
    if (version !== schemaVersion && !isEmpty) {
      throw new SchemaMismatchError(`index has schema version ${String(version)}, not ${schemaVersion}`);
    }
    database.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${cacheKib};
      PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 8388608;
    `);
    if (isEmpty) database.exec(`BEGIN; ${tables} PRAGMA user_version = ${schemaVersion}; COMMIT`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
