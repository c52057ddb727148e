import { beforeEach, describe, expect, it } from 'vitest';
import { app, CacheBench } from '../../test/fakes/cache-bench.ts';
import { content, image, index, layerBytes, type FakeManifest } from '../../test/fakes/images.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { digestOf } from '../../test/contracts/cache-index.ts';

const key = { upstream: 'docker.io', repository: app };
const other = { upstream: 'docker.io', repository: 'team/other' as RepositoryName };
const one = image();
const { digest, mediaType } = one.manifest;

let bench: CacheBench;

beforeEach(() => {
  bench = new CacheBench();
});

function manifestOf(document: object): FakeManifest {
  return { ...content(JSON.stringify({ schemaVersion: 2, mediaType, ...document })), mediaType };
}

describe('what was put', () => {
  it('comes back byte for byte, from disk as from memory', async () => {
    const spaced = content(`  ${Buffer.from(one.manifest.bytes).toString()}\n\n`);
    await bench.shelf.put(key, { ...spaced, mediaType });
    expect((await bench.shelf.get(key, spaced.digest))?.bytes).toEqual(spaced.bytes);
    bench.shelf.forget(spaced.digest);
    expect(await bench.shelf.get(key, spaced.digest)).toMatchObject({ digest: spaced.digest, mediaType });
    expect((await bench.shelf.get(key, spaced.digest))?.bytes).toEqual(Buffer.from(spaced.bytes));
  });

  it('belongs to the repository that it was put in alone', async () => {
    await bench.shelf.put(key, one.manifest);
    expect(await bench.shelf.get(other, digest)).toBeUndefined();
    expect(bench.shelf.hot(other, digest)).toBeUndefined();
    expect(bench.shelf.hot(key, digest)?.digest).toBe(digest);
  });

  it('is counted with what it names', async () => {
    await bench.shelf.put(key, one.manifest);
    expect(bench.index.usage(digest)).toMatchObject({
      size: one.manifest.bytes.length,
      upstream: 'docker.io',
      children: one.blobs.map((blob) => blob.digest).sort(),
    });
    expect(bench.storedSizes).toEqual([one.manifest.bytes.length]);
  });

  it('of no known type is kept as bytes', async () => {
    const odd = { ...content('not even JSON'), mediaType: 'application/x-odd' };
    const kept = await bench.shelf.put(key, odd);
    expect(kept).toMatchObject({ mediaType: 'application/x-odd', links: { blobs: [], manifests: [] } });
    expect((await bench.shelf.get(key, odd.digest))?.bytes).toEqual(odd.bytes);
  });
});

describe('a manifest links', () => {
  it('its config and its layers, with their lengths', async () => {
    await bench.shelf.put(key, one.manifest);
    for (const blob of one.blobs) {
      expect(bench.index.linked(key, blob.digest)?.size).toBe(blob.bytes.length);
      expect(bench.index.linked(other, blob.digest)).toBeUndefined();
    }
  });

  const layer = { digest: digestOf(1), size: 5, mediaType: 'application/vnd.oci.image.layer.v1.tar' };
  const foreignType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
  it.each([
    ['a layer with urls', { layers: [{ ...layer, urls: ['https://example.com/layer'] }] }],
    ['a layer of a foreign type', { layers: [{ ...layer, mediaType: foreignType }] }],
    ['its subject', { layers: [], subject: { ...layer, mediaType } }],
  ])('not %s: no registry has checked that', async (_, document) => {
    await bench.shelf.put(key, manifestOf(document));
    expect(bench.index.linked(key, digestOf(1))).toBeUndefined();
  });

  it('not the children of an index', async () => {
    const both = index();
    await bench.shelf.put(key, both.manifest);
    for (const child of both.images) expect(bench.index.linked(key, child.manifest.digest)).toBeUndefined();
    expect(bench.index.usage(both.manifest.digest)?.children).toHaveLength(2);
  });
});

describe('a store that is full', () => {
  it('costs the keeping and nothing else', async () => {
    bench = new CacheBench({ maxBytes: 10 });
    const manifest = await bench.shelf.put(key, one.manifest);
    expect(manifest.bytes).toEqual(one.manifest.bytes);
    expect(await bench.shelf.get(key, digest)).toBe(manifest);
    expect(bench.index.usage(digest)).toBeUndefined();
    expect(bench.storedSizes).toEqual([]);
    bench.shelf.forget(digest);
    expect(await bench.shelf.get(key, digest)).toBeUndefined();
  });
});

describe('adopting', () => {
  it('links bytes that are here already', async () => {
    await bench.shelf.put(key, one.manifest);
    expect((await bench.shelf.adopt(other, digest, mediaType))?.bytes).toEqual(
      Buffer.from(one.manifest.bytes),
    );
    expect(bench.shelf.hot(other, digest)).toBeDefined();
  });

  it('finds nothing where no bytes are', async () => {
    expect(await bench.shelf.adopt(key, digest, mediaType)).toBeUndefined();
    expect(bench.index.linked(key, digest)).toBeUndefined();
  });

  it('reads no blob of more than 4 MiB into memory', async () => {
    const large = content(layerBytes(4 * 1024 * 1024 + 1, 'large'));
    await bench.store.put(large.digest, large.bytes);
    expect(await bench.shelf.adopt(key, large.digest, mediaType)).toBeUndefined();
  });

  it('puts damaged bytes aside', async () => {
    await bench.store.put(digest, Buffer.from('rotten'));
    expect(await bench.shelf.adopt(key, digest, mediaType)).toBeUndefined();
    expect(await bench.store.stat(digest)).toBeUndefined();
  });
});

describe('what is forgotten', () => {
  it('an evicted manifest is gone from memory too', async () => {
    await bench.shelf.put(key, one.manifest);
    await bench.store.remove(digest);
    expect(bench.shelf.hot(key, digest)).toBeUndefined();
    expect(await bench.shelf.get(key, digest)).toBeUndefined();
  });

  it('a closed repository gives nothing, and opens again where an archived tag says so', async () => {
    const both = index();
    await bench.shelf.put(key, both.manifest);
    for (const child of both.images) await bench.shelf.put(key, child.manifest);
    await bench.shelf.put(key, one.manifest);
    bench.shelf.forgetAll(key);
    expect(await bench.shelf.get(key, both.manifest.digest)).toBeUndefined();
    await bench.shelf.reopen(key, both.manifest.digest);
    for (const child of both.images) expect(await bench.shelf.get(key, child.manifest.digest)).toBeDefined();
    expect(await bench.shelf.reopen(other, both.manifest.digest)).toBeUndefined();
  });

  it('what the index no longer links is not served from memory', async () => {
    await bench.shelf.put(key, one.manifest);
    bench.index.unlinkAll(key);
    expect(bench.shelf.hot(key, digest)).toBeUndefined();
    expect(await bench.shelf.get(key, digest)).toBeUndefined();
  });
});
