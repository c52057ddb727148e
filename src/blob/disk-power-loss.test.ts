import { describe, expect, test } from 'vitest';
import { digestOf } from '../../test/contracts/blob-store.ts';
import { type PowerLoss, PowerLossDisk } from '../../test/fakes/power-loss-disk.ts';
import { ManualClock } from '../base/manual-clock.ts';
import type { Span } from '../base/range-set.ts';
import { DiskBlobStore } from './disk-blob-store.ts';

const big = Buffer.from(Array.from({ length: 9000 }, (_, index) => 1 + ((index * 7) % 255)));
const small = Buffer.from('{"a":1}');
const wrong = Buffer.alloc(big.length, 0xee);

interface Promised {
  readonly blobs: Set<Buffer>;
  spans: readonly Span[];
}

function openStore(disk: PowerLossDisk): Promise<DiskBlobStore> {
  return DiskBlobStore.open({ root: '/data/store', reserveBytes: 0, files: disk, clock: new ManualClock() });
}

/** Does a bit of all that changes the disk and notes what it was promised. Ends where the disk fails. */
async function work(disk: PowerLossDisk, promised: Promised): Promise<void> {
  const store = await openStore(disk);
  await store.put(digestOf(small), small);
  promised.blobs.add(small);

  const bad = await store.openPartial(digestOf(big));
  await bad.write([wrong], 0);
  await bad.checkpoint();
  await bad.discard();
  await bad.close();

  const first = await store.openPartial(digestOf(big));
  await first.write([big.subarray(0, 3000)], 0);
  await first.checkpoint();
  promised.spans = [{ start: 0, end: 3000 }];
  await first.write([big.subarray(6000)], 6000);
  await first.keep();
  promised.spans = [...promised.spans, { start: 6000, end: 9000 }];
  await first.close();

  const second = await store.openPartial(digestOf(big));
  await second.write([big.subarray(3000, 6000)], 3000);
  await second.commit();
  await second.close();
  promised.spans = [];
  promised.blobs.add(big);

  await store.remove(digestOf(small));
  promised.blobs.delete(small);
  await store.put(digestOf(small), small);
  promised.blobs.add(small);
}

async function readWhole(store: DiskBlobStore, bytes: Buffer): Promise<Buffer | undefined> {
  const source = await store.open(digestOf(bytes));
  if (source === undefined) return undefined;
  const found = Buffer.alloc(source.length);
  for (let length = 0; length < found.length;) length += await source.read(found.subarray(length));
  await source.close();
  return found;
}

/** Nothing wrong is visible, and what was promised is there. */
async function check(disk: PowerLossDisk, promised: Promised): Promise<void> {
  const store = await openStore(disk);
  for (const bytes of [small, big]) {
    const found = await readWhole(store, bytes);
    if (found !== undefined) expect(found.equals(bytes)).toBe(true);
    if (promised.blobs.has(bytes)) expect(found).toBeDefined();
  }
  const isCommitted = (await store.stat(digestOf(big))) !== undefined;
  const partial = await store.openPartial(digestOf(big));
  if (!isCommitted) for (const span of promised.spans) expect(partial.present.covers(span)).toBe(true);
  for (const { start, end } of partial.present.spans) {
    const found = Buffer.alloc(end - start);
    for (let length = 0; length < found.length;) {
      length += await partial.read(found.subarray(length), start + length);
    }
    // Until its discard is through, the content that turned out wrong may come back, whole: never mixed with later bytes.
    const isRight = found.equals(big.subarray(start, end));
    expect(isRight || (promised.spans.length === 0 && found.equals(wrong))).toBe(true);
  }
  for (const { start, end } of partial.present.missing({ start: 0, end: big.length })) {
    await partial.write([big.subarray(start, end)], start);
  }
  await partial.discard();
  await partial.close();
}

const losses: readonly PowerLoss[] = [
  { entries: 'synced', data: 'synced' },
  { entries: 'all', data: 'synced' },
  { entries: 'synced', data: 'all' },
  { entries: 'all', data: 'all' },
];

describe.each(losses)('power lost with $entries entries and $data data kept', (loss) => {
  test('at every call: nothing wrong is served, nothing promised is lost', async () => {
    const complete = new PowerLossDisk();
    await work(complete, { blobs: new Set(), spans: [] });
    expect(complete.changes).toBeGreaterThan(50);
    for (let failAt = 1; failAt <= complete.changes + 1; failAt += 1) {
      const disk = new PowerLossDisk();
      disk.failAtChange = failAt;
      const promised: Promised = { blobs: new Set(), spans: [] };
      // What the disk refuses is an error of the store's own kind, and the end of the work.
      await work(disk, promised).catch((error: unknown) =>
        expect(error).toMatchObject({ code: 'STORAGE_FAILED' }),
      );
      await check(disk.afterPowerLoss(loss), promised);
    }
  });
});
