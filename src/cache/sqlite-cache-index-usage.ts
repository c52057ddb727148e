import assert from 'node:assert/strict';
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Clock } from '../base/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { UsageEntry, UsageIndex, UsageTotals } from './cache-index.ts';
import { decodeDigest, encodeDigest } from './sqlite-cache-index-digest.ts';
import type { SqliteCacheIndexGuard } from './sqlite-cache-index-guard.ts';
import { UsageTally } from './usage-tally.ts';

export interface SqliteCacheIndexUsageOptions {
  readonly database: DatabaseSync;
  readonly guard: SqliteCacheIndexGuard;
  readonly clock: Clock;
  /** Uses gathered in memory before they are written; above it a use costs a write. */
  readonly maxPendingTouches: number;
  /** How long a use may wait in memory; what a crash can lose of the order of eviction. */
  readonly touchFlushMs: number;
}

/** Uses written in one transaction by the timer: each costs some 30 microseconds of the event loop, and as much again
 * for each blob that a manifest names. */
const touchBatch = 25;

/** Pause between two batches, for requests to pass. */
const batchPauseMs = 5;

/** What one use can reach: a guard against a manifest that names a great many others, which name more. */
const maxReached = 2_000;

/**
 * The tables `entries`, `edges` and `pins`; totals and recent uses are kept in memory. A use that waits there is applied
 * to what is known when it is written, so it may reach content that came in a moment after it.
 */
export class SqliteCacheIndexUsage implements UsageIndex {
  readonly #options: SqliteCacheIndexUsageOptions;
  readonly #guard: SqliteCacheIndexGuard;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #tally = new UsageTally();
  readonly #touches = new Map<Digest, number>();
  #timer: { cancel(): void } | undefined;

  /** Reads the totals; fails with the errors of node:sqlite. */
  constructor(options: SqliteCacheIndexUsageOptions) {
    this.#options = options;
    this.#guard = options.guard;
    this.#statements = prepare(options.database);
    for (const row of this.#statements.sum.all()) {
      this.#tally.add(String(row['upstream']), Number(row['blobs']), Number(row['bytes']));
    }
  }

  record(entry: UsageEntry): void {
    assert(Number.isSafeInteger(entry.size) && entry.size >= 0, 'the size of an entry is a whole number');
    const { digest, size } = entry;
    const key = encodeDigest(digest);
    const usedAtMs = Math.floor(entry.usedAtMs);
    this.#guard.write(() => {
      const known = this.#statements.find.get(key);
      const saved = this.#statements.add.get(key, size, entry.upstream, usedAtMs);
      for (const child of entry.children) this.#statements.addEdge.run(key, encodeDigest(child));
      if (entry.children.length > 0) this.#use(key, usedAtMs);
      return () => {
        if (known !== undefined) this.#tally.add(String(known['upstream']), -1, -Number(known['size']));
        this.#tally.add(String(saved?.['upstream']), 1, size);
      };
    });
  }

  touch(digest: Digest, atMs: number): void {
    const usedAtMs = Math.floor(atMs);
    if (usedAtMs > (this.#touches.get(digest) ?? Number.NEGATIVE_INFINITY)) {
      this.#touches.set(digest, usedAtMs);
    }
    if (this.#touches.size >= this.#options.maxPendingTouches) this.#flush(touchBatch);
    this.#scheduleFlush(this.#options.touchFlushMs);
  }

  forget(digest: Digest): void {
    const key = encodeDigest(digest);
    const usedAtMs = this.#touches.get(digest);
    this.#touches.delete(digest);
    this.#guard.write(() => {
      // A use that is not written yet counts for what the content names, which stays.
      if (usedAtMs !== undefined) this.#use(key, usedAtMs);
      const gone = this.#statements.remove.get(key);
      this.#statements.removeEdges.run(key);
      if (gone === undefined) return undefined;
      return () => this.#tally.add(String(gone['upstream']), -1, -Number(gone['size']));
    });
  }

  usage(digest: Digest): UsageEntry | undefined {
    this.flush();
    return this.#guard.read(() => {
      const row = this.#statements.find.get(encodeDigest(digest));
      return row === undefined ? undefined : this.#entry(row);
    });
  }

  pin(digest: Digest, untilMs: number): void {
    const key = encodeDigest(digest);
    this.#guard.write(() => {
      this.#statements.dropPins.run(this.#options.clock.nowMs());
      this.#statements.pin.run(key, Math.floor(untilMs));
      this.#statements.copyPin.run(key);
    });
  }

  unpin(digest: Digest): void {
    const key = encodeDigest(digest);
    this.#guard.write(() => {
      this.#statements.unpin.run(key);
      this.#statements.copyPin.run(key);
    });
  }

  pinnedUntilMs(digest: Digest): number | undefined {
    const row = this.#guard.read(() => this.#statements.findPin.get(encodeDigest(digest)));
    return row === undefined ? undefined : Number(row['until_ms']);
  }

  oldest(options: {
    readonly upstream?: string;
    readonly limit: number;
    readonly nowMs: number;
  }): readonly UsageEntry[] {
    const { upstream, limit, nowMs } = options;
    this.flush();
    const entries = this.#guard.read(() => {
      const rows =
        upstream === undefined
          ? this.#statements.oldest.all(nowMs, limit)
          : this.#statements.oldestOf.all(nowMs, limit, upstream);
      return rows.map((row) => this.#entry(row));
    });
    return entries ?? [];
  }

  totals(): UsageTotals {
    return this.#tally;
  }

  /** Writes every use that is gathered. */
  flush(): void {
    this.#flush(Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.flush();
  }

  #flush(limit: number): void {
    if (this.#touches.size === 0) return;
    // Written and then owed at worst: what the storage can't take leaves this map all the same, so that it stays small.
    const batch: [Digest, number][] = [];
    for (const touch of this.#touches) {
      if (batch.length >= limit) break;
      batch.push(touch);
    }
    for (const [digest] of batch) this.#touches.delete(digest);
    this.#guard.write(() => {
      for (const [digest, usedAtMs] of batch) this.#use(encodeDigest(digest), usedAtMs);
    });
  }

  /** Marks the content and, breadth first, what it names. */
  #use(key: Uint8Array, usedAtMs: number): void {
    const reached = new Map([[decodeDigest(key), key]]);
    for (const each of reached.values()) {
      this.#statements.touch.run(each, usedAtMs);
      for (const edge of this.#statements.edges.all(each)) {
        if (reached.size >= maxReached) break;
        const child = edge['child'] as Uint8Array;
        reached.set(decodeDigest(child), child);
      }
    }
  }

  #scheduleFlush(delayMs: number): void {
    this.#timer ??= this.#options.clock.schedule(delayMs, () => {
      this.#timer = undefined;
      this.#flush(touchBatch);
      if (this.#touches.size > 0) this.#scheduleFlush(batchPauseMs);
    });
  }

  #entry(row: Record<string, SQLOutputValue>): UsageEntry {
    const key = row['digest'] as Uint8Array;
    return {
      digest: decodeDigest(key),
      size: Number(row['size']),
      upstream: String(row['upstream']),
      usedAtMs: Number(row['used_at_ms']),
      children: this.#statements.edges.all(key).map((edge) => decodeDigest(edge['child'] as Uint8Array)),
    };
  }
}

function prepare(database: DatabaseSync): Record<StatementName, StatementSync> {
  const columns = 'digest, size, upstream, used_at_ms';
  // The inner query reads an index alone, so that pinned rows at its front cost next to nothing.
  const oldest = (condition: string): string => `
    SELECT entries.digest, size, upstream, entries.used_at_ms FROM (
      SELECT digest, used_at_ms FROM entries WHERE ${condition} pinned_until_ms <= ?1
      ORDER BY used_at_ms, digest LIMIT ?2
    ) AS first CROSS JOIN entries ON entries.digest = first.digest
    ORDER BY first.used_at_ms, first.digest`;
  return {
    sum: database.prepare(
      'SELECT upstream, count(*) AS blobs, sum(size) AS bytes FROM entries GROUP BY upstream',
    ),
    find: database.prepare(`SELECT ${columns} FROM entries WHERE digest = ?`),
    add: database.prepare(
      `INSERT INTO entries (${columns}, pinned_until_ms)
       VALUES (?1, ?2, ?3, ?4, coalesce((SELECT until_ms FROM pins WHERE digest = ?1), 0))
       ON CONFLICT (digest) DO UPDATE SET
         size = excluded.size, used_at_ms = max(used_at_ms, excluded.used_at_ms),
         upstream = CASE upstream WHEN '' THEN excluded.upstream ELSE upstream END
       RETURNING upstream`,
    ),
    addEdge: database.prepare('INSERT INTO edges (parent, child) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    edges: database.prepare('SELECT child FROM edges WHERE parent = ?'),
    touch: database.prepare('UPDATE entries SET used_at_ms = ?2 WHERE digest = ?1 AND used_at_ms < ?2'),
    remove: database.prepare('DELETE FROM entries WHERE digest = ? RETURNING upstream, size'),
    removeEdges: database.prepare('DELETE FROM edges WHERE parent = ?'),
    pin: database.prepare(
      `INSERT INTO pins (digest, until_ms) VALUES (?, ?)
       ON CONFLICT (digest) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)`,
    ),
    copyPin: database.prepare(
      `UPDATE entries SET pinned_until_ms = coalesce((SELECT until_ms FROM pins WHERE digest = ?1), 0)
       WHERE digest = ?1`,
    ),
    dropPins: database.prepare('DELETE FROM pins WHERE until_ms <= ?'),
    findPin: database.prepare('SELECT until_ms FROM pins WHERE digest = ?'),
    unpin: database.prepare('DELETE FROM pins WHERE digest = ?'),
    oldest: database.prepare(oldest('')),
    oldestOf: database.prepare(oldest('upstream = ?3 AND')),
  };
}

type StatementName =
  | 'sum'
  | 'find'
  | 'add'
  | 'addEdge'
  | 'edges'
  | 'touch'
  | 'remove'
  | 'removeEdges'
  | 'pin'
  | 'copyPin'
  | 'dropPins'
  | 'findPin'
  | 'unpin'
  | 'oldest'
  | 'oldestOf';
