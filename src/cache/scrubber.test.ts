import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../base/logger.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { createPrometheusMetrics } from '../base/prometheus-metrics.ts';
import type { BlobSweeper } from '../blob/blob-store.ts';
import type { ByteSource } from '../blob/byte-source.ts';
import { MemoryBlobStore } from '../blob/memory-blob-store.ts';
import { parseDigest, type Digest } from '../oci/digest.ts';
import { MemoryCacheIndex } from './memory-cache-index.ts';
import { Scrubber, type ScrubberOptions } from './scrubber.ts';

let clock: ManualClock;
let blobs: MemoryBlobStore;
let index: MemoryCacheIndex;
let metrics: ReturnType<typeof createPrometheusMetrics>;
let corrupt: Digest[];

beforeEach(() => {
  clock = new ManualClock();
  blobs = new MemoryBlobStore({ maxBytes: Number.POSITIVE_INFINITY, clock });
  index = new MemoryCacheIndex();
  metrics = createPrometheusMetrics();
  corrupt = [];
});

function scrubber(options: Partial<ScrubberOptions> = {}): Scrubber {
  return new Scrubber({
    blobs,
    index,
    clock,
    logger: silentLogger,
    metrics,
    bytesPerSecond: 1_000,
    pauseMs: 60_000,
    onCorrupt: (digest) => corrupt.push(digest),
    ...options,
  });
}

async function add(
  text: string,
  { bytes = text, algorithm = 'sha256', upstream = 'ghcr.io' } = {},
): Promise<Digest> {
  const digest = parseDigest(`${algorithm}:${createHash(algorithm).update(text).digest('hex')}`)!;
  await blobs.put(digest, Buffer.from(bytes));
  index.record({ digest, size: bytes.length, upstream, usedAtMs: 1, children: [] });
  return digest;
}

const counted = async (result: string): Promise<number> =>
  Number(
    new RegExp(`wherry_scrub_blobs_total{result="${result}"} (\\d+)`).exec(await metrics.text())?.[1] ?? 0,
  );

test('sound blobs stay, pass after pass', async () => {
  const digests = [await add('a'), await add('b', { algorithm: 'sha512' }), await add('')];
  const one = scrubber();
  one.start();
  await clock.advance(1_000);
  expect(await counted('ok')).toBe(3);
  await clock.advance(60_000);
  expect(await counted('ok')).toBe(6);
  await one.stop();
  for (const digest of digests) expect(await blobs.stat(digest)).toBeDefined();
});

const damage: [string, string][] = [
  ['a changed byte', 'layer bytez'],
  ['a cut end', 'layer'],
  ['nothing left', ''],
  ['bytes added', 'layer bytes and more'],
];
test.each(damage)('%s is taken out, forgotten, told and fetched again', async (_, bytes) => {
  const bad = await add('layer bytes', { bytes });
  const good = await add('good');
  const refetched: unknown[] = [];
  const one = scrubber({ refetch: (digest, upstream) => refetched.push([digest, upstream]) });
  one.start();
  await clock.advance(1_000);
  await one.stop();
  expect(await blobs.stat(bad)).toBeUndefined();
  expect(blobs.quarantined(bad)).toEqual(Buffer.from(bytes));
  expect(index.usage(bad)).toBeUndefined();
  expect(corrupt).toEqual([bad]);
  expect(refetched).toEqual([[bad, 'ghcr.io']]);
  expect(await counted('corrupt')).toBe(1);
  expect(await blobs.stat(good)).toBeDefined();
});

describe('pace', () => {
  test('no more than bytesPerSecond', async () => {
    const bytes = 600 * 1_024;
    await add('x'.repeat(bytes));
    await add('y'.repeat(bytes));
    const one = scrubber({ bytesPerSecond: 100 * 1_024 });
    one.start();
    await clock.advance(5_900);
    expect(await counted('ok')).toBe(1);
    await clock.advance(5_300);
    expect(await counted('ok')).toBe(2);
    expect(await metrics.text()).toContain(`wherry_scrub_bytes_total ${2 * bytes}`);
    await one.stop();
  });

  test('stop ends a wait, in a blob and between passes', async () => {
    await add('x'.repeat(600 * 1_024));
    for (const bytesPerSecond of [1, 1e9]) {
      const one = scrubber({ bytesPerSecond });
      one.start();
      await clock.advance(10);
      await one.stop();
      expect(clock.waiting).toBe(0);
    }
  });
});

test('a blob that the index does not know is adopted', async () => {
  const digest = await add('found');
  index.forget(digest);
  const one = scrubber();
  one.start();
  await clock.advance(100);
  await one.stop();
  expect(index.usage(digest)).toMatchObject({ size: 5, upstream: '' });
});

describe('what can not be read', () => {
  const open = async (how: 'gone' | 'failed'): Promise<ByteSource | undefined> => {
    if (how === 'gone') return undefined;
    throw new Error('EIO');
  };
  test.each(['gone', 'failed'] as const)('%s says nothing about the bytes', async (how) => {
    const digest = await add('a');
    const one = scrubber({ blobs: wrap(blobs, { open: async () => open(how) }) });
    one.start();
    await clock.advance(10);
    await one.stop();
    expect(await counted(how)).toBe(1);
    expect(corrupt).toEqual([]);
    expect(await blobs.stat(digest)).toBeDefined();
  });

  test('a listing that fails is tried again after the pause', async () => {
    await add('a');
    let calls = 0;
    const list: BlobSweeper['list'] = () => {
      calls += 1;
      if (calls === 1) throw new Error('EMFILE');
      return blobs.list();
    };
    const one = scrubber({ blobs: wrap(blobs, { list }) });
    one.start();
    await clock.advance(60_010);
    await one.stop();
    expect(await counted('ok')).toBe(1);
  });
});

function wrap(inner: MemoryBlobStore, own: Partial<ScrubberOptions['blobs']>): ScrubberOptions['blobs'] {
  return {
    stat: async (digest) => inner.stat(digest),
    open: async (digest) => inner.open(digest),
    list: () => inner.list(),
    listPartials: () => inner.listPartials(),
    remove: async (digest) => inner.remove(digest),
    removePartial: async (digest) => inner.removePartial(digest),
    quarantine: async (digest) => inner.quarantine(digest),
    ...own,
  };
}
