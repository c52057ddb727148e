import { beforeEach, expect, test } from 'vitest';
import { CacheBench } from '../../test/fakes/cache-bench.ts';
import { image, index, layerBytes, type FakeImage } from '../../test/fakes/images.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { ImagePins } from './image-pins.ts';

let bench: CacheBench;
let pins: ImagePins;

beforeEach(() => {
  bench = new CacheBench();
  pins = new ImagePins(bench);
});

const base = layerBytes(500, 'base');
const [one, two] = ['one', 'two'].map((seed) => image({ layers: [base, layerBytes(100, seed)] })) as [
  FakeImage,
  FakeImage,
];
const baseDigest = one.blobs[1]!.digest;

function digestsOf({ manifest, blobs }: FakeImage) {
  return new Set([manifest, ...blobs].map(({ digest }) => digest));
}

test.each([
  ['the same repository', 'team/app'],
  ['another repository', 'team/other'],
])('unpinning leaves pinned what a pinned image of %s needs, until that one ends', async (_, other) => {
  const start = bench.clock.nowMs();
  bench.addImage(one, 'one');
  bench.addImage(two, 'two', other as RepositoryName);
  await bench.pull('one');
  await bench.pull('two', other as RepositoryName);
  pins.pin(digestsOf(one), start + 9_000);
  pins.pin(digestsOf(two), start + 5_000);
  await pins.unpin(digestsOf(one));
  expect(bench.index.pinnedUntilMs(one.manifest.digest)).toBeUndefined();
  expect(bench.index.pinnedUntilMs(one.blobs[2]!.digest)).toBeUndefined();
  expect(bench.index.pinnedUntilMs(baseDigest)).toBe(start + 5_000);
  await pins.unpin(digestsOf(two));
  expect(bench.index.pinnedUntilMs(baseDigest)).toBeUndefined();
});

test('a pin that is over holds nothing', async () => {
  bench.addImage(one, 'one');
  bench.addImage(two, 'two');
  await bench.pull('one');
  await bench.pull('two');
  pins.pin(digestsOf(two), bench.clock.nowMs());
  await pins.unpin(digestsOf(one));
  expect(bench.index.pinnedUntilMs(baseDigest)).toBeUndefined();
});

test('an image stays pinned through the index that contains it', async () => {
  const both = index();
  bench.addIndex(both, 'v1');
  await bench.pull('v1');
  const [amd64] = both.images as [FakeImage, FakeImage];
  await bench.pull(amd64.manifest.digest);
  const until = bench.clock.nowMs() + 1_000;
  pins.pin([both.manifest.digest, ...digestsOf(amd64)], until);
  await pins.unpin(digestsOf(amd64));
  expect([...digestsOf(amd64)].map((digest) => bench.index.pinnedUntilMs(digest))).toEqual([
    until,
    until,
    until,
  ]);
});
