import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { digestOf, entry } from '../../test/contracts/cache-index.ts';
import { silentLogger } from '../base/logger.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { createPrometheusMetrics } from '../base/prometheus-metrics.ts';
import type { BlobEntry, BlobSweeper } from '../blob/blob-store.ts';
import type { Digest } from '../oci/digest.ts';
import type { UsageEntry } from './cache-index.ts';
import { Evictor, type EvictorOptions } from './evictor.ts';
import { MemoryCacheIndex } from './memory-cache-index.ts';

/** Blobs without bytes: what is here, and what was removed in which order. */
class BlobNames implements BlobSweeper {
  readonly here = new Set<Digest>();
  readonly partials = new Map<Digest, BlobEntry>();
  readonly removed: Digest[] = [];
  readonly broken = new Set<Digest>();

  async *list(): AsyncGenerator<BlobEntry> {
    for (const digest of this.here) yield { digest, size: 0, usedAtMs: 0 };
  }

  async *listPartials(): AsyncGenerator<BlobEntry> {
    yield* this.partials.values();
  }

  async remove(digest: Digest): Promise<void> {
    if (this.broken.has(digest)) throw new Error('EIO');
    this.here.delete(digest);
    this.removed.push(digest);
  }

  async removePartial(digest: Digest): Promise<void> {
    this.partials.delete(digest);
    this.removed.push(digest);
  }

  async quarantine(): Promise<void> {
    throw new Error('eviction quarantines nothing');
  }
}

const dayMs = 86_400_000;
let clock: ManualClock;
let blobs: BlobNames;
let index: MemoryCacheIndex;
let busy: Set<Digest>;

beforeEach(() => {
  clock = new ManualClock();
  blobs = new BlobNames();
  index = new MemoryCacheIndex();
  busy = new Set();
});

function evictor(options: Partial<EvictorOptions> = {}): Evictor {
  return new Evictor({
    blobs,
    index,
    clock,
    logger: silentLogger,
    metrics: createPrometheusMetrics(),
    limits: { maxBytes: 1_000, highWatermark: 0.9, lowWatermark: 0.6, quotaBytes: new Map() },
    sweepIntervalMs: 60_000,
    partialLifetimeMs: dayMs,
    isBusy: (digest) => busy.has(digest),
    fillBytes: () => 0,
    ...options,
  });
}

function add(seed: number, fields: Partial<UsageEntry> = {}): void {
  blobs.here.add(digestOf(seed));
  index.record(entry(seed, fields));
}

function addPartial(seed: number, size: number, ageMs: number): void {
  blobs.partials.set(digestOf(seed), { digest: digestOf(seed), size, usedAtMs: clock.nowMs() - ageMs });
}

const removedSeeds = (): number[] => blobs.removed.map((digest) => Number.parseInt(digest.slice(-8), 16));

describe('makeRoom', () => {
  test('removes nothing below the high watermark', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9]) add(seed);
    expect(await evictor().makeRoom(0)).toEqual({ freedBytes: 0, fits: true });
  });

  test('above it removes the longest unused, down to the low one', async () => {
    for (const seed of [5, 3, 1, 4, 2, 6, 7, 8, 9, 10]) add(seed);
    index.touch(digestOf(1), 50);
    expect(await evictor().makeRoom(0)).toEqual({ freedBytes: 400, fits: true });
    expect(removedSeeds()).toEqual([2, 3, 4, 5]);
    expect(index.totals().bytes).toBe(600);
    expect(blobs.here.size).toBe(6);
  });

  test('counts what is coming and what fills will take', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) add(seed);
    await evictor({ fillBytes: () => 200 }).makeRoom(150);
    expect(removedSeeds()).toEqual([1, 2, 3, 4]);
  });

  test('leaves what is busy or pinned, and says when that is too much', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) add(seed);
    busy.add(digestOf(1));
    for (const seed of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) index.pin(digestOf(seed), clock.nowMs() + 1);
    expect(await evictor().makeRoom(0)).toEqual({ freedBytes: 0, fits: false });
    await clock.advance(1);
    expect(await evictor().makeRoom(0)).toEqual({ freedBytes: 500, fits: true });
    expect(removedSeeds()).toEqual([2, 3, 4, 5, 6]);
  });

  test('goes round a blob that can not be removed', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) add(seed);
    blobs.broken.add(digestOf(1));
    await evictor().makeRoom(0);
    expect(removedSeeds()).toEqual([2, 3, 4, 5]);
    expect(index.usage(digestOf(1))).toBeDefined();
  });

  test('what a live manifest needs goes last, and its own eviction leaves the blobs to age', async () => {
    for (const seed of [1, 2]) add(seed, { size: 200 });
    add(3, { size: 200, children: [digestOf(1), digestOf(2)] });
    for (const seed of [4, 5, 6, 7]) add(seed);
    index.touch(digestOf(3), 50);
    await evictor().makeRoom(0);
    expect(removedSeeds()).toEqual([4, 5, 6, 7]);
    index.forget(digestOf(3));
    index.touch(digestOf(3), 90);
    for (const seed of [60, 61, 62, 63, 64, 65]) add(seed);
    await evictor().makeRoom(0);
    expect(removedSeeds().slice(4)).toEqual([1, 2]);
  });

  test('a quota is kept though the whole has room, and by its own upstream alone', async () => {
    const limits = {
      maxBytes: 10_000,
      highWatermark: 0.9,
      lowWatermark: 0.6,
      quotaBytes: new Map([['ghcr.io', 500]]),
    };
    for (const seed of [1, 2, 3]) add(seed);
    for (const seed of [4, 5, 6, 7, 8]) add(seed, { upstream: 'ghcr.io' });
    await evictor({ limits }).makeRoom(0);
    expect(removedSeeds()).toEqual([4, 5]);
  });

  test('what nothing names goes first', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7]) add(seed);
    for (const seed of [20, 21, 22]) add(seed, { upstream: '' });
    await evictor().makeRoom(0);
    expect(removedSeeds()).toEqual([20, 21, 22, 1]);
  });

  test('demands that come during a sweep share the next one', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) add(seed);
    const one = evictor();
    const first = one.makeRoom(100);
    await Promise.resolve();
    const rooms = await Promise.all([first, one.makeRoom(150), one.makeRoom(151)]);
    expect(rooms.map(({ freedBytes }) => freedBytes)).toEqual([0, 400, 400]);
  });

  test('a caller that goes away does not end the sweep', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) add(seed);
    const one = evictor();
    const leaving = new AbortController();
    const left = one.makeRoom(0, leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await one.makeRoom(0);
    expect(removedSeeds()).toEqual([1, 2, 3, 4]);
  });
});

describe('freeAtLeast', () => {
  test('frees so much though the budget has room', async () => {
    for (const seed of [1, 2, 3]) add(seed);
    expect(await evictor().freeAtLeast(150)).toEqual({ freedBytes: 200, fits: true });
    expect(removedSeeds()).toEqual([1, 2]);
  });

  test('says when there is not so much', async () => {
    add(1);
    expect(await evictor().freeAtLeast(150)).toEqual({ freedBytes: 100, fits: false });
  });

  test('takes idle partials last', async () => {
    add(1);
    addPartial(7, 80, 5);
    addPartial(8, 80, 9);
    await evictor().freeAtLeast(150);
    expect(removedSeeds()).toEqual([1, 8]);
  });
});

describe('the timer', () => {
  test('throws away partials that nobody came back for, unless they are busy', async () => {
    addPartial(1, 10, dayMs + 1);
    addPartial(2, 10, dayMs + 1);
    addPartial(3, 10, dayMs - 60_001);
    busy.add(digestOf(2));
    const one = evictor();
    one.start();
    await one.makeRoom(0);
    expect(removedSeeds()).toEqual([1]);
    await clock.advance(60_000);
    await one.makeRoom(0);
    expect(removedSeeds()).toEqual([1]);
    await clock.advance(60_000);
    await one.stop();
    expect(removedSeeds()).toEqual([1, 3]);
    expect(clock.waiting).toBe(0);
  });

  test('partials count in the bytes', async () => {
    for (const seed of [1, 2, 3, 4, 5]) add(seed);
    addPartial(9, 500, 1);
    const one = evictor();
    one.start();
    await one.stop();
    expect(removedSeeds()).toEqual([]);
    const other = evictor();
    other.start();
    await other.makeRoom(0);
    expect(removedSeeds()).toEqual([1, 2, 3, 4]);
    await other.stop();
  });
});

test('metrics say what went and what is left', async () => {
  const metrics = createPrometheusMetrics();
  for (const seed of [1, 2, 3, 4, 5]) add(seed, { size: 200 });
  add(0, { size: 50, upstream: 'ghcr.io' });
  await evictor({ metrics }).makeRoom(0);
  const text = await metrics.text();
  expect(text).toContain('wherry_cache_evictions_total{upstream="docker.io",reason="budget"} 2');
  expect(text).toContain('wherry_cache_evictions_total{upstream="ghcr.io",reason="budget"} 1');
  expect(text).toContain('wherry_cache_evicted_bytes_total 450');
  expect(text).toContain('wherry_cache_bytes{upstream="docker.io"} 600');
  expect(text).toContain('wherry_cache_blobs 3');
});

test('after any sweep the cache is below its watermark, in order, and nothing busy or pinned is gone', async () => {
  const blob = fc.record({
    size: fc.integer({ min: 0, max: 400 }),
    usedAtMs: fc.integer({ min: 0, max: 20 }),
    upstream: fc.constantFrom('', 'docker.io', 'ghcr.io'),
    state: fc.constantFrom('free', 'free', 'free', 'busy', 'pinned'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(blob, { maxLength: 30 }), fc.nat(900), async (content, incomingBytes) => {
      clock = new ManualClock();
      blobs = new BlobNames();
      index = new MemoryCacheIndex();
      busy = new Set();
      content.forEach(({ state, ...fields }, position) => {
        add(position + 1, fields);
        if (state === 'busy') busy.add(digestOf(position + 1));
        if (state === 'pinned') index.pin(digestOf(position + 1), clock.nowMs() + 1_000);
      });
      const at = (digest: Digest): (typeof content)[number] =>
        content[Number.parseInt(digest.slice(-8), 16) - 1]!;
      const limits = {
        maxBytes: 1_000,
        highWatermark: 0.9,
        lowWatermark: 0.5,
        quotaBytes: new Map([['ghcr.io', 300]]),
      };
      const before = index.totals().bytes;
      const room = await evictor({ limits }).makeRoom(incomingBytes);
      const left = index.totals();
      const free = [...blobs.here].filter((digest) => at(digest).state === 'free');
      expect(before - left.bytes).toBe(room.freedBytes);
      expect(blobs.here.size).toBe(left.blobs);
      for (const digest of blobs.removed) expect(at(digest).state).toBe('free');
      if (free.length > 0) expect(left.bytes + incomingBytes).toBeLessThanOrEqual(900);
      if (free.some((digest) => at(digest).upstream === 'ghcr.io')) {
        expect(left.bytesByUpstream.get('ghcr.io') ?? 0).toBeLessThanOrEqual(270);
      }
      expect(room.fits).toBe(left.bytes + incomingBytes <= 1_000);
      for (const upstream of ['', 'docker.io', 'ghcr.io']) {
        const went = blobs.removed.filter((digest) => at(digest).upstream === upstream);
        const uses = went.map((digest) => at(digest).usedAtMs);
        expect(uses).toEqual(uses.toSorted((a, b) => a - b));
        const stayed = free.filter((digest) => at(digest).upstream === upstream);
        for (const digest of stayed) expect(at(digest).usedAtMs).toBeGreaterThanOrEqual(uses.at(-1) ?? 0);
      }
    }),
    { numRuns: 200 },
  );
});
