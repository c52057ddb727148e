import { beforeEach, expect, it } from 'vitest';
import { app, CacheBench } from '../../test/fakes/cache-bench.ts';
import { readAll } from '../../test/fakes/fill-bench.ts';
import { content, layerBytes } from '../../test/fakes/images.ts';

const blob = content(layerBytes(5_000, 'length'));
const { digest } = blob;
let bench: CacheBench;

/** A stored blob of 5,000 bytes, of which the descriptor and the index may tell something else. */
async function store(toldSize: number, recordedSize: number): Promise<void> {
  const { index } = bench;
  bench.client.addBlob(app, digest, blob.bytes);
  await bench.store.put(digest, blob.bytes);
  index.link(bench.repository().key, [{ digest, size: toldSize }]);
  index.record({ digest, size: recordedSize, upstream: 'docker.io', usedAtMs: 0, children: [] });
}

beforeEach(() => {
  bench = new CacheBench();
});

it('a stored blob that has lost bytes is put away and fetched', async () => {
  await store(6_000, 6_000);
  const found = await bench.blobs.find(bench.repository(), digest, 'whole');
  expect(found.outcome.kind).toBe('forward');
  expect(await bench.store.stat(digest)).toBeUndefined();
  expect(bench.index.usage(digest)).toBeUndefined();
});

it.each([
  ['a wrong descriptor', 6_000, 5_000],
  ['a wrong record', 5_000, 6_000],
])('%s alone is no reason to doubt the blob', async (_, told, recorded) => {
  await store(told, recorded);
  const found = await bench.blobs.find(bench.repository(), digest, 'whole');
  expect([found.outcome.kind, found.size]).toEqual(['hit', 5_000]);
  expect(await readAll(await found.open(0, undefined))).toEqual(Buffer.from(blob.bytes));
});
