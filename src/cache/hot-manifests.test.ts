import { expect, it } from 'vitest';
import { content, image, index, layerBytes } from '../../test/fakes/images.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { HotManifests, hotManifest } from './hot-manifests.ts';

const app = { upstream: 'docker.io', repository: 'team/app' as RepositoryName };
const longer = { upstream: 'docker.io', repository: 'team/app2' as RepositoryName };
const one = image({ layers: [layerBytes(10, 'a'), layerBytes(10, 'b')] });
const { digest, mediaType, bytes } = one.manifest;
const hot = hotManifest(digest, mediaType, bytes);
const other = hotManifest(index().manifest.digest, mediaType, bytes);

it('reads what a manifest links', () => {
  expect(hot.links.blobs.map((blob) => blob.digest)).toEqual(one.blobs.map((blob) => blob.digest));
  const { manifest, images } = index();
  const read = hotManifest(manifest.digest, manifest.mediaType, manifest.bytes);
  expect(read.links.manifests.map((child) => child.digest)).toEqual(
    images.map((child) => child.manifest.digest),
  );
});

it.each([
  ['of an unknown type', 'application/x-odd', '{"layers": 1}'],
  ['that is broken', mediaType, '{'],
  ['that is an image and an index at once', mediaType, '{"layers": [], "manifests": []}'],
])('keeps a document %s and links nothing', (_, type, text) => {
  const odd = content(text);
  expect(hotManifest(odd.digest, type, odd.bytes)).toMatchObject({
    bytes: odd.bytes,
    links: { blobs: [], manifests: [] },
  });
});

it('gives a manifest to the repository that it was put under', () => {
  const manifests = new HotManifests(100_000);
  manifests.put(app, hot);
  expect([manifests.get(app, digest), manifests.get(longer, digest)]).toEqual([hot, undefined]);
});

it('forgets a digest in all repositories, and nothing else', () => {
  const manifests = new HotManifests(100_000);
  for (const key of [app, longer]) manifests.put(key, hot);
  manifests.put(app, hot);
  manifests.put(app, other);
  manifests.forget(digest);
  expect([manifests.get(app, digest), manifests.get(longer, digest)]).toEqual([undefined, undefined]);
  expect(manifests.get(app, other.digest)).toBe(other);
  manifests.put(app, hot);
  expect(manifests.get(app, digest)).toBe(hot);
});

it('forgets a repository, not the one whose name begins alike', () => {
  const manifests = new HotManifests(100_000);
  for (const key of [app, longer]) manifests.put(key, hot);
  manifests.forgetAll(app);
  expect([manifests.get(app, digest), manifests.get(longer, digest)]).toEqual([undefined, hot]);
  manifests.forget(digest);
  expect(manifests.get(longer, digest)).toBeUndefined();
});

it('lets the least recently used go when there is no room, and what is too large at once', () => {
  const size = bytes.length + 500 + 3 * 400;
  const manifests = new HotManifests(2 * size);
  manifests.put(app, hot);
  manifests.put(longer, hot);
  manifests.get(app, digest);
  manifests.put(app, other);
  expect([manifests.get(app, digest), manifests.get(longer, digest)]).toEqual([hot, undefined]);
  const tiny = new HotManifests(size - 1);
  tiny.put(app, hot);
  expect(tiny.get(app, digest)).toBeUndefined();
  tiny.forget(digest);
});
