import { beforeEach, expect, test } from 'vitest';
import { CacheBench, app } from '../../test/fakes/cache-bench.ts';
import { image, index, type FakeImage, type FakeIndex } from '../../test/fakes/images.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { parseReference } from '../oci/reference.ts';
import { ImageRemoval, type Removal } from './image-removal.ts';

let bench: CacheBench;
let removal: ImageRemoval;
let running: Set<string>;
const key = { upstream: 'docker.io', repository: app };

beforeEach(() => {
  bench = new CacheBench();
  running = new Set();
  removal = new ImageRemoval({
    tags: bench.tags,
    revisions: bench.revisions,
    index: bench.index,
    manifests: bench.manifests,
    blobs: bench.store,
    fills: { isRunning: (digest) => running.has(digest) },
  });
});

async function remove(reference: string): Promise<Removal | undefined> {
  return removal.remove(key, parseReference(reference));
}

async function pullIndex(tag: string): Promise<FakeIndex> {
  const both = index();
  bench.addIndex(both, tag);
  await bench.pull(tag);
  for (const child of both.images) {
    await bench.pull(child.manifest.digest);
    await bench.storeBlobs(child);
  }
  return both;
}

async function here(content: FakeImage): Promise<boolean[]> {
  const digests = [content.manifest, ...content.blobs].map(({ digest }) => digest);
  return Promise.all(digests.map(async (digest) => (await bench.store.stat(digest)) !== undefined));
}

test('an index goes with its images', async () => {
  const both = await pullIndex('v1');
  bench.index.pin(both.manifest.digest, bench.clock.nowMs() + 1_000);
  expect(await remove('v1')).toMatchObject({ tags: 1, manifests: 3, blobs: 7 });
  for (const child of both.images) expect(await here(child)).toEqual([false, false, false]);
  expect(bench.index.totals()).toMatchObject({ blobs: 0, bytes: 0 });
  expect(bench.index.pinnedUntilMs(both.manifest.digest)).toBeUndefined();
  expect(await remove('v1')).toBeUndefined();
});

test('an image of an index that stays is not taken out of it', async () => {
  const both = await pullIndex('v1');
  const [amd64] = both.images as [FakeImage];
  expect(await remove(amd64.manifest.digest)).toMatchObject({ manifests: 0, blobs: 0 });
  expect(await here(amd64)).toEqual([true, true, true]);
});

test('a second tag of the same image keeps it; by digest both tags go', async () => {
  const pulled = image();
  for (const tag of ['v1', 'v2', 'v3']) {
    bench.addImage(pulled, tag);
    await bench.pull(tag);
  }
  await bench.storeBlobs(pulled);
  expect(await remove('v1')).toEqual({ tags: 1, manifests: 0, blobs: 0, freedBytes: 0 });
  expect(await here(pulled)).toEqual([true, true, true]);
  expect(await remove(pulled.manifest.digest)).toMatchObject({ tags: 2, manifests: 1, blobs: 3 });
});

test('what another repository holds, or a fill brings, stays', async () => {
  const pulled = image();
  bench.addImage(pulled, 'v1');
  bench.addImage(pulled, 'v1', 'team/copy' as RepositoryName);
  await bench.pull('v1');
  await bench.storeBlobs(pulled);
  const [config, layer] = pulled.blobs.map(({ digest }) => digest);
  bench.index.link({ upstream: 'docker.io', repository: 'team/copy' as RepositoryName }, [
    { digest: config!, size: undefined },
  ]);
  running.add(layer!);
  expect(await removal.remove(key, undefined)).toMatchObject({ tags: 1, manifests: 1, blobs: 1 });
  expect(await here(pulled)).toEqual([false, true, true]);
  expect(bench.index.linked(key, config!)).toBeUndefined();
});

test('a tag that was removed is asked for again', async () => {
  const pulled = image();
  bench.addImage(pulled, 'v1');
  await bench.pull('v1');
  await remove('v1');
  expect((await bench.pull('v1')).outcome).toMatchObject({ kind: 'forward', reason: 'miss' });
});
