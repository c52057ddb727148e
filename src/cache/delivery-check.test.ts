import { beforeEach, describe, expect, it } from 'vitest';
import { app, CacheBench } from '../../test/fakes/cache-bench.ts';
import { content, image, index, layerBytes, type FakeImage } from '../../test/fakes/images.ts';
import type { HotManifest } from './hot-manifests.ts';

const two = image({ layers: [layerBytes(100, 'a'), layerBytes(100, 'b')] });
const both = index();
const [amd64, arm64] = both.images as [FakeImage, FakeImage];

let bench: CacheBench;

beforeEach(() => {
  bench = new CacheBench();
});

async function put({ manifest }: { manifest: FakeImage['manifest'] }): Promise<HotManifest> {
  return bench.shelf.put(bench.repository().key, manifest);
}

async function isComplete(manifest: HotManifest): Promise<boolean> {
  await bench.clock.advance(1_000);
  return bench.delivery.isComplete(bench.repository(), manifest);
}

function layered(layers: readonly object[]): FakeImage['manifest'] {
  const { mediaType } = two.manifest;
  return { ...content(JSON.stringify({ schemaVersion: 2, mediaType, layers })), mediaType };
}

describe('an image', () => {
  it('is complete with the last of its blobs, until one leaves', async () => {
    const manifest = await put(two);
    for (const { digest, bytes } of two.blobs) {
      expect(await isComplete(manifest)).toBe(false);
      await bench.store.put(digest, bytes);
    }
    expect(await isComplete(manifest)).toBe(true);
    await bench.store.remove(two.blobs[1]!.digest);
    expect(await isComplete(manifest)).toBe(false);
  });

  it('stays complete when something else leaves', async () => {
    const manifest = await put(two);
    await bench.storeBlobs(two);
    await bench.store.remove(content('unrelated').digest);
    expect(await isComplete(manifest)).toBe(true);
  });

  it('is looked at again as soon as a blob came, else after a second', async () => {
    const manifest = await put(two);
    const now = async (): Promise<boolean> => bench.delivery.isComplete(bench.repository(), manifest);
    expect(await now()).toBe(false);
    await bench.storeBlobs(two);
    expect(await now()).toBe(false);
    bench.delivery.added();
    expect(await now()).toBe(true);
  });

  it('of a quarantined layer is not complete', async () => {
    const manifest = await put(two);
    await bench.storeBlobs(two);
    expect(await isComplete(manifest)).toBe(true);
    await bench.store.quarantine(two.blobs[2]!.digest);
    expect(await isComplete(manifest)).toBe(false);
  });

  const absent = { ...content('absent'), size: 6, bytes: undefined };
  it.each([
    ['no layers', []],
    ['a foreign layer that is not here', [{ ...absent, mediaType: 'x', urls: ['https://example.com'] }]],
    ['an empty layer', [{ digest: content('').digest, size: 0, mediaType: 'x' }]],
  ])('with %s is complete', async (_, layers) => {
    expect(await isComplete(await put({ manifest: layered(layers) }))).toBe(true);
  });

  it('with a layer that only claims to be empty is not complete', async () => {
    expect(await isComplete(await put({ manifest: layered([{ ...absent, size: 0, mediaType: 'x' }]) }))).toBe(
      false,
    );
  });
});

describe('an index', () => {
  it('is complete with one whole child', async () => {
    const manifest = await put(both);
    await put(amd64);
    await put(arm64);
    expect(await isComplete(manifest)).toBe(false);
    await bench.storeBlobs(arm64);
    expect(await isComplete(manifest)).toBe(true);
    await bench.store.remove(arm64.manifest.digest);
    expect(await isComplete(manifest)).toBe(false);
  });

  it('is not complete with a child that another repository holds', async () => {
    const manifest = await put(both);
    await bench.store.put(amd64.manifest.digest, amd64.manifest.bytes);
    await bench.storeBlobs(amd64);
    expect(await isComplete(manifest)).toBe(false);
  });

  it('nested too deep is not complete, and no endless search', async () => {
    let inner: FakeImage['manifest'] = amd64.manifest;
    await put(amd64);
    await bench.storeBlobs(amd64);
    const seen: boolean[] = [];
    for (let depth = 0; depth < 6; depth += 1) {
      const { mediaType } = both.manifest;
      const child = { digest: inner.digest, size: inner.bytes.length, mediaType: inner.mediaType };
      inner = { ...content(JSON.stringify({ mediaType, manifests: [child] })), mediaType };
      const manifest = await put({ manifest: inner });
      bench.delivery.removed();
      seen.push(await isComplete(manifest));
    }
    expect(seen).toEqual([true, true, true, true, false, false]);
  });
});

describe('while the upstream is away', () => {
  it('a complete image is served by tag and digest, an incomplete one is 404', async () => {
    bench.addImage(two, 'latest');
    await bench.pull('latest');
    bench.fail('unavailable');
    for (const reference of ['latest', two.manifest.digest]) {
      await expect(bench.pull(reference)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN', status: 404 });
    }
    await bench.storeBlobs(two);
    bench.delivery.added();
    for (const reference of ['latest', two.manifest.digest]) {
      expect((await bench.pull(reference)).outcome.kind).toBe('hit');
    }
  });

  it('a complete image asks for nothing', async () => {
    bench.addImage(two, 'latest');
    await bench.pull('latest');
    await bench.storeBlobs(two);
    bench.fail('unavailable');
    bench.asked();
    await bench.pull(two.manifest.digest);
    expect(bench.asked()).toEqual([]);
  });

  it('an open breaker is answer enough', async () => {
    const manifest = await put(two);
    bench.fail('unavailable');
    bench.breakerOpen = true;
    expect(await bench.delivery.ask(bench.repository(), manifest)).toBe(false);
    expect(bench.asked()).toEqual([]);
  });

  it('its own word is asked for once for all who wait', async () => {
    const manifest = await put(two);
    bench.fail('unavailable');
    const asks = Array.from({ length: 5 }, async () => bench.delivery.ask(bench.repository(), manifest));
    expect(await Promise.all(asks)).toEqual([false, false, false, false, false]);
    expect(bench.asked()).toHaveLength(1);
  });
});

describe('known', () => {
  it('is true for five seconds after the upstream answered', async () => {
    bench.addImage(two, 'latest');
    const { manifest } = await bench.pull('latest');
    await bench.clock.advance(4_999);
    expect(bench.delivery.known(bench.repository(), manifest)).toBe(true);
    await bench.clock.advance(1);
    expect(bench.delivery.known(bench.repository(), manifest)).toBeUndefined();
  });

  it('takes a 404 for a sign of life', async () => {
    const manifest = await put(two);
    expect(bench.delivery.known(bench.repository(), manifest)).toBeUndefined();
    expect(await bench.delivery.ask(bench.repository(), manifest)).toBe(true);
    expect(bench.asked()).toEqual([`headManifest ${two.manifest.digest}`]);
    expect(bench.repository().key.repository).toBe(app);
  });
});
