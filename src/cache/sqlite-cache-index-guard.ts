import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Counter, Metrics } from '../base/metrics.ts';
import { isDamage, isStorageFailure, isUnavailable } from './sqlite-cache-index-failure.ts';

/** What to do once a write has been committed: bring what is held in memory up to date. */
export type AfterCommit = () => void;

/** `owed`: the storage failed, the write is kept in memory and tried again; `dropped`: there was no room for that. */
export type WriteOutcome = 'saved' | 'owed' | 'dropped';

export interface SqliteCacheIndexGuardOptions {
  readonly database: DatabaseSync;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Called once, when the database turns out to be damaged. */
  readonly onDamage: () => void;
}

const logIntervalMs = 60_000;
const retryMs = 1_000;

/** A write is a manifest's links at most, so this is some megabytes; then what is new is left for a rebuild. */
const maxOwed = 1_000;

/** Draining is done in short runs, for it blocks the event loop. */
const drainBatch = 50;

/**
 * Keeps the storage's failures away from a pull: a failed read is `undefined`, a failed write waits in memory, in
 * order, until the storage takes it.
 */
export class SqliteCacheIndexGuard {
  readonly #options: SqliteCacheIndexGuardOptions;
  readonly #readErrors: Counter;
  readonly #writeErrors: Counter;
  readonly #owed: (() => AfterCommit | void)[] = [];
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  #retry: { cancel(): void } | undefined;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #damaged = false;

  constructor(options: SqliteCacheIndexGuardOptions) {
    this.#options = options;
    this.#begin = options.database.prepare('BEGIN IMMEDIATE');
    this.#commit = options.database.prepare('COMMIT');
    const errors = options.metrics.counter({
      name: 'wherry_index_errors_total',
      help: 'Calls to the cache index that its storage failed.',
      labels: ['operation'],
    });
    this.#readErrors = errors.with('read');
    this.#writeErrors = errors.with('write');
  }

  /** True while writes wait that the database has not seen. */
  get owing(): boolean {
    return this.#owed.length > 0;
  }

  read<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#report(error, this.#readErrors);
      return undefined;
    }
  }

  /** Runs `action` in a transaction of its own, behind whatever is owed. It may be run again after a failure. */
  write(action: () => AfterCommit | void): WriteOutcome {
    if (this.#owed.length === 0 && this.#attempt(action)) return 'saved';
    if (this.#owed.length >= maxOwed) return 'dropped';
    this.#owed.push(action);
    this.#scheduleRetry();
    return 'owed';
  }

  /** A last attempt at what is owed. */
  close(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#drain(maxOwed);
    this.#owed.length = 0;
  }

  #drain(limit: number): void {
    for (let done = 0; done < limit; done += 1) {
      const first = this.#owed[0];
      if (first === undefined || !this.#attempt(first)) return;
      this.#owed.shift();
    }
  }

  #scheduleRetry(): void {
    this.#retry ??= this.#options.clock.schedule(retryMs, () => {
      this.#retry = undefined;
      this.#drain(drainBatch);
      if (this.owing) this.#scheduleRetry();
    });
  }

  /** True when the action is done with: committed, or one that this database will never take. */
  #attempt(action: () => AfterCommit | void): boolean {
    let after: AfterCommit | void;
    try {
      this.#begin.run();
      after = action();
      this.#commit.run();
    } catch (error) {
      this.#rollBack();
      this.#report(error, this.#writeErrors);
      return !isUnavailable(error);
    }
    after?.();
    return true;
  }

  #rollBack(): void {
    try {
      if (this.#options.database.isTransaction) this.#options.database.exec('ROLLBACK');
    } catch {
      // The failure that brought us here is reported; SQLite ends the transaction by itself when it is closed.
    }
  }

  /** Throws what is no failure of the storage: then our own code is wrong. */
  #report(error: unknown, errors: Counter): void {
    if (!isStorageFailure(error)) throw error;
    errors.add();
    if (isDamage(error) && !this.#damaged) {
      this.#damaged = true;
      this.#options.onDamage();
    }
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#loggedAtMs < logIntervalMs) return;
    this.#loggedAtMs = nowMs;
    this.#options.logger.error('the cache index failed; going on without its answer', { error });
  }
}
