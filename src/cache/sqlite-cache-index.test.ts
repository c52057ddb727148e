import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeCacheIndex, digestOf, entry, repository } from '../../test/contracts/cache-index.ts';
import { silentLogger, type Logger } from '../base/logger.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { createPrometheusMetrics } from '../base/prometheus-metrics.ts';
import { noMetrics } from '../base/metrics.ts';
import type { CacheIndex } from './cache-index.ts';
import { MemoryCacheIndex } from './memory-cache-index.ts';
import { openSqliteCacheIndex, type SqliteCacheIndexOptions } from './sqlite-cache-index.ts';

let folder: string;
let clock: ManualClock;
let options: SqliteCacheIndexOptions;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wherry-index-'));
  clock = new ManualClock();
  options = {
    file: join(folder, 'index.db'),
    clock,
    logger: silentLogger,
    metrics: noMetrics,
    maxHotLinks: 100,
    maxLinks: 1_000_000,
    maxPendingTouches: 50,
    touchFlushMs: 5_000,
    maxListingBytes: 4_000,
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const alpine = repository('library/alpine');
const link = (seed: number): { digest: ReturnType<typeof digestOf>; size: number } => ({
  digest: digestOf(seed),
  size: seed,
});

describeCacheIndex('SqliteCacheIndex', () => openSqliteCacheIndex(options).index);

describe('opening', () => {
  test('a new index asks for a rebuild until one is done', () => {
    openSqliteCacheIndex(options).index.close();
    const second = openSqliteCacheIndex(options);
    expect(second.needsRebuild).toBe(true);
    second.markRebuilt();
    second.index.close();
    const third = openSqliteCacheIndex(options);
    expect(third.needsRebuild).toBe(false);
    third.index.close();
  });

  test('everything is there again', () => {
    const { index } = openSqliteCacheIndex(options);
    index.link(alpine, [link(1)]);
    index.record(entry(1, { children: [digestOf(2)] }));
    index.touch(digestOf(1), 77);
    index.pin(digestOf(1), clock.nowMs() + 10);
    index.putListing(alpine, 'tags', { body: '[]', checkedAtMs: 5 });
    index.close();
    const again = openSqliteCacheIndex(options).index;
    expect(again.linked(alpine, digestOf(1))).toEqual(link(1));
    expect(again.usage(digestOf(1))).toEqual(entry(1, { usedAtMs: 77, children: [digestOf(2)] }));
    expect(again.totals()).toMatchObject({ blobs: 1, bytes: 100 });
    expect(again.oldest({ limit: 9, nowMs: clock.nowMs() })).toEqual([]);
    expect(again.listing(alpine, 'tags')).toEqual({ body: '[]', checkedAtMs: 5 });
    again.close();
  });

  const another = (): void => {
    rmSync(options.file);
    const database = new DatabaseSync(options.file);
    database.exec('CREATE TABLE links (a); PRAGMA user_version = 999');
    database.close();
  };
  const hollow = (): void => {
    rmSync(options.file);
    const database = new DatabaseSync(options.file);
    database.exec('CREATE TABLE links (a); PRAGMA user_version = 1');
    database.close();
  };
  const torn = (): void => {
    const { index } = openSqliteCacheIndex(options);
    for (let seed = 1; seed <= 2_000; seed += 1) index.record(entry(seed));
    index.close();
    const bytes = readFileSync(options.file);
    writeFileSync(options.file, bytes.fill(0x5a, bytes.length / 4));
  };
  const absurd = (): void => {
    const { index } = openSqliteCacheIndex(options);
    index.record(entry(1));
    index.close();
    const database = new DatabaseSync(options.file);
    database.exec('UPDATE entries SET size = 9007199254740993');
    database.close();
  };
  const unusable: [string, () => void][] = [
    ['no database', () => writeFileSync(options.file, 'x'.repeat(10_000))],
    ['another version', another],
    ['missing tables', hollow],
    ['torn', torn],
    ['full of absurd numbers', absurd],
    ['found damaged earlier', () => writeFileSync(`${options.file}.damaged`, '')],
  ];
  test.each(unusable)('a file that is %s is set aside', (_, spoil) => {
    const first = openSqliteCacheIndex(options);
    first.markRebuilt();
    first.index.record(entry(1));
    first.index.close();
    spoil();
    const spoiltBytes = statSync(options.file).size;
    const { index, needsRebuild } = openSqliteCacheIndex(options);
    expect(needsRebuild).toBe(true);
    expect(index.totals().blobs).toBe(0);
    index.record(entry(2));
    index.close();
    expect(statSync(`${options.file}.old`).size).toBe(spoiltBytes);
    const again = openSqliteCacheIndex(options).index;
    expect(again.totals().blobs).toBe(1);
    again.close();
  });

  test('where no file can be, the index lives in memory', () => {
    writeFileSync(join(folder, 'blocked'), '');
    const { index, needsRebuild } = openSqliteCacheIndex({
      ...options,
      file: join(folder, 'blocked', 'x.db'),
    });
    index.link(alpine, [link(1)]);
    expect(needsRebuild).toBe(true);
    expect(index.linked(alpine, digestOf(1))).toEqual(link(1));
    index.close();
  });
});

/** Takes the write lock from another connection, so that each write fails until it is given back. */
function lockOut(): { release(): void } {
  const other = new DatabaseSync(options.file);
  other.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE');
  return {
    release: () => {
      other.exec('ROLLBACK');
      other.close();
    },
  };
}

describe('while the storage takes no writes', () => {
  let index: CacheIndex;
  beforeEach(() => {
    index = openSqliteCacheIndex({ ...options, maxHotLinks: 2 }).index;
  });
  afterEach(() => index.close());

  test('a link holds in memory and is written later', async () => {
    const lock = lockOut();
    index.link(alpine, [link(1)]);
    expect(index.linked(alpine, digestOf(1))).toEqual(link(1));
    lock.release();
    await clock.advance(1_000);
    index.link(repository('other'), [link(8), link(9)]);
    expect(index.linked(alpine, digestOf(1))).toEqual(link(1));
  });

  test('what was taken back stays so, though the database still holds it', async () => {
    index.link(alpine, [link(1), link(2)]);
    index.putListing(alpine, 'tags', { body: '[]', checkedAtMs: 1 });
    const lock = lockOut();
    index.unlinkAll(alpine);
    index.link(alpine, [link(2)]);
    expect(index.linked(alpine, digestOf(1))).toBeUndefined();
    expect(index.listing(alpine, 'tags')).toBeUndefined();
    expect(index.linked(alpine, digestOf(2))).toBeDefined();
    lock.release();
    await clock.advance(1_000);
    expect(index.linked(alpine, digestOf(1))).toBeUndefined();
    index.link(repository('other'), [link(8), link(9)]);
    expect(index.linked(alpine, digestOf(2))).toBeDefined();
  });

  test('when a revocation can not even be remembered, only links in memory are believed', async () => {
    index.link(alpine, [link(1)]);
    const lock = lockOut();
    for (let n = 0; n < 1_000; n += 1) index.link(repository('other'), [link(n)]);
    index.unlinkAll(alpine);
    lock.release();
    await clock.advance(60_000);
    expect(index.linked(alpine, digestOf(1))).toBeUndefined();
    expect(index.linked(repository('other'), digestOf(999))).toEqual(link(999));
    expect(index.linked(repository('other'), digestOf(5))).toBeUndefined();
  });

  test('records and their totals arrive later, in order', async () => {
    const lock = lockOut();
    index.record(entry(1));
    index.record(entry(2));
    index.forget(digestOf(1));
    lock.release();
    await clock.advance(1_000);
    expect(index.totals()).toMatchObject({ blobs: 1, bytes: 100 });
    expect(index.usage(digestOf(2))).toEqual(entry(2));
  });
});

test('a closed database is logged once a minute, counted, and answers nothing', async () => {
  const metrics = createPrometheusMetrics();
  const lines: string[] = [];
  const logger: Logger = { ...silentLogger, error: (message) => lines.push(message) };
  const { index } = openSqliteCacheIndex({ ...options, logger, metrics });
  index.close();
  expect(index.linked(alpine, digestOf(1))).toBeUndefined();
  expect(index.usage(digestOf(1))).toBeUndefined();
  expect(index.oldest({ limit: 1, nowMs: 0 })).toEqual([]);
  expect(lines).toHaveLength(1);
  await clock.advance(60_000);
  index.link(alpine, [link(1)]);
  expect(index.linked(alpine, digestOf(1))).toEqual(link(1));
  expect(lines).toHaveLength(2);
  expect(await metrics.text()).toMatch(/wherry_index_errors_total\{operation="read"\} 3/);
  index.close();
});

test('damage that shows while running is remembered for the next opening', () => {
  const first = openSqliteCacheIndex(options);
  first.markRebuilt();
  const many = Array.from({ length: 5_000 }, (_, seed) => link(seed + 1));
  first.index.link(alpine, many);
  first.index.close();
  const second = openSqliteCacheIndex(options);
  expect(second.needsRebuild).toBe(false);
  const bytes = readFileSync(options.file);
  writeFileSync(options.file, bytes.fill(0x5a, bytes.length / 4));
  const found = many.map(({ digest }) => second.index.linked(alpine, digest));
  expect(found).toContain(undefined);
  second.index.close();
  const third = openSqliteCacheIndex(options);
  expect(third.needsRebuild).toBe(true);
  third.index.link(alpine, [link(1)]);
  expect(third.index.linked(alpine, digestOf(1))).toEqual(link(1));
  third.index.close();
});

describe('uses', () => {
  const storedUse = (seed: number): unknown => {
    const other = new DatabaseSync(options.file, { readOnly: true });
    const key = `01${seed.toString(16).padStart(64, '0')}`;
    const row = other.prepare('SELECT used_at_ms AS at FROM entries WHERE lower(hex(digest)) = ?').get(key);
    other.close();
    return row?.['at'];
  };

  test('are written by the timer, not before', async () => {
    const { index } = openSqliteCacheIndex(options);
    index.record(entry(1));
    index.touch(digestOf(1), 100);
    await clock.advance(4_999);
    expect(storedUse(1)).toBe(1);
    await clock.advance(1);
    expect(storedUse(1)).toBe(100);
    index.close();
  });

  test('are written when there are too many', () => {
    const { index } = openSqliteCacheIndex(options);
    index.record(entry(1));
    for (let seed = 1; seed <= options.maxPendingTouches; seed += 1) index.touch(digestOf(seed), 100);
    expect(storedUse(1)).toBe(100);
    index.close();
  });
});

describe('limits', () => {
  test('listings checked longest ago make room', () => {
    const { index } = openSqliteCacheIndex(options);
    for (let n = 0; n < 20; n += 1) {
      index.putListing(alpine, `subject-${n}`, { body: 'x'.repeat(400), checkedAtMs: n });
    }
    expect(index.listing(alpine, 'subject-0')).toBeUndefined();
    expect(index.listing(alpine, 'subject-19')).toBeDefined();
    index.close();
  });

  test('a listing that is too long is not kept, nor its predecessor', () => {
    const { index } = openSqliteCacheIndex(options);
    index.putListing(alpine, 'tags', { body: 'short', checkedAtMs: 1 });
    index.putListing(alpine, 'tags', { body: 'x'.repeat(1_001), checkedAtMs: 2 });
    expect(index.listing(alpine, 'tags')).toBeUndefined();
    index.close();
  });

  test('beyond maxLinks the repository linked longest ago is forgotten', async () => {
    const { index } = openSqliteCacheIndex({ ...options, maxHotLinks: 1, maxLinks: 5_000 });
    for (const name of ['first', 'second']) {
      await clock.advance(1);
      index.link(
        repository(name),
        Array.from({ length: 5_000 }, (_, seed) => link(seed + 1)),
      );
    }
    expect(index.linked(repository('first'), digestOf(7))).toBeUndefined();
    expect(index.linked(repository('second'), digestOf(7))).toEqual(link(7));
    index.close();
  });
});

describe('query plans', () => {
  const plans: [string, string][] = [
    [
      'SELECT digest FROM entries WHERE pinned_until_ms <= 1 ORDER BY used_at_ms, digest LIMIT 9',
      'entries_by_use',
    ],
    [
      "SELECT digest FROM entries WHERE upstream = 'a' AND pinned_until_ms <= 1 ORDER BY used_at_ms, digest LIMIT 9",
      'entries_by_upstream',
    ],
    [
      "SELECT size FROM links WHERE repository = (SELECT id FROM repositories WHERE upstream = 'a' AND name = 'b') AND digest = x'00'",
      'PRIMARY KEY',
    ],
    [
      'SELECT upstream, count(*), sum(size) FROM entries GROUP BY upstream',
      'COVERING INDEX entries_by_upstream',
    ],
  ];
  test.each(plans)('%s', (sql, via) => {
    openSqliteCacheIndex(options).index.close();
    const database = new DatabaseSync(options.file);
    const plan = database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => row['detail'])
      .join('; ');
    database.close();
    expect(plan).toContain(via);
    expect(plan).not.toMatch(/TEMP B-TREE|SCAN (?!entries USING (COVERING )?INDEX)/);
  });
});

test('behaves like the index in memory under any operations', () => {
  const seed = fc.integer({ min: 1, max: 8 });
  const time = fc.integer({ min: 0, max: 30 });
  const upstream = fc.constantFrom('', 'docker.io', 'ghcr.io');
  const key = fc.constantFrom(alpine, repository('a/b'), repository('a/b', 'ghcr.io'));
  type Step = (index: CacheIndex) => unknown;
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ seed, upstream, usedAtMs: time, children: fc.array(seed, { maxLength: 3 }) }).map(
      ({ seed, children, ...rest }): Step =>
        (index) =>
          index.record(entry(seed, { ...rest, size: seed, children: children.map(digestOf) })),
    ),
    fc.tuple(seed, time).map(
      ([seed, at]): Step =>
        (index) =>
          index.touch(digestOf(seed), at),
    ),
    seed.map(
      (seed): Step =>
        (index) =>
          index.forget(digestOf(seed)),
    ),
    fc.tuple(seed, time).map(
      ([seed, at]): Step =>
        (index) =>
          index.pin(digestOf(seed), clock.nowMs() + at),
    ),
    seed.map(
      (seed): Step =>
        (index) =>
          index.unpin(digestOf(seed)),
    ),
    fc.tuple(key, seed, fc.boolean()).map(
      ([key, seed, sized]): Step =>
        (index) =>
          index.link(key, [{ digest: digestOf(seed), size: sized ? seed : undefined }]),
    ),
    fc.tuple(key, seed).map(
      ([key, seed]): Step =>
        (index) =>
          index.unlink(key, digestOf(seed)),
    ),
    key.map(
      (key): Step =>
        (index) =>
          index.unlinkAll(key),
    ),
    fc.tuple(key, seed).map(
      ([key, seed]): Step =>
        (index) =>
          index.linked(key, digestOf(seed)),
    ),
    seed.map(
      (seed): Step =>
        (index) =>
          index.usage(digestOf(seed)),
    ),
    fc.tuple(fc.option(upstream, { nil: undefined }), time).map(
      ([upstream, at]): Step =>
        (index) =>
          index.oldest({
            ...(upstream === undefined ? {} : { upstream }),
            limit: 5,
            nowMs: clock.nowMs() + at,
          }),
    ),
    fc.constant<Step>((index) => {
      const { blobs, bytes, bytesByUpstream } = index.totals();
      return { blobs, bytes, bytesByUpstream: new Map(bytesByUpstream) };
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new MemoryCacheIndex();
      const { index } = openSqliteCacheIndex({
        ...options,
        file: ':memory:',
        maxHotLinks: 3,
        maxPendingTouches: 1,
      });
      for (const step of steps) expect(step(index)).toEqual(step(memory));
      index.close();
    }),
    { numRuns: 150 },
  );
});
