import { createHash } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { digestOf, repository } from '../../test/contracts/cache-index.ts';
import { silentLogger } from '../base/logger.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { MemoryBlobStore } from '../blob/memory-blob-store.ts';
import { parseDigest, type Digest } from '../oci/digest.ts';
import { MemoryRevisionStore } from '../tag/memory-revision-store.ts';
import { MemoryCacheIndex } from './memory-cache-index.ts';
import { rebuildIndex, type RebuildSummary } from './rebuild-index.ts';

const imageType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';
const app = repository('team/app', 'ghcr.io');

let clock: ManualClock;
let blobs: MemoryBlobStore;
let revisions: MemoryRevisionStore;
let index: MemoryCacheIndex;

beforeEach(() => {
  clock = new ManualClock();
  blobs = new MemoryBlobStore({ maxBytes: Number.POSITIVE_INFINITY, clock });
  revisions = new MemoryRevisionStore();
  index = new MemoryCacheIndex();
});

async function store(content: string | object): Promise<{ digest: Digest; size: number }> {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)!;
  await blobs.put(digest, bytes);
  await clock.advance(1);
  return { digest, size: bytes.length };
}

const rebuild = async (): Promise<RebuildSummary> =>
  rebuildIndex({ index, blobs, revisions, logger: silentLogger });

test('links and usage come back from an index, its images and their blobs', async () => {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await store('{}')) };
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await store('layer')) };
  const absent = { mediaType: layer.mediaType, digest: digestOf(9), size: 99 };
  const image = await store({ schemaVersion: 2, mediaType: imageType, config, layers: [layer, absent] });
  const child = { mediaType: imageType, ...image };
  const other = { mediaType: imageType, digest: digestOf(8), size: 88 };
  const top = await store({ schemaVersion: 2, mediaType: indexType, manifests: [child, other] });
  const orphan = await store('named by nobody');
  await revisions.put(app, { ...image, mediaType: imageType });
  await revisions.put(app, { ...top, mediaType: indexType });

  expect(await rebuild()).toEqual({ blobs: 5, revisions: 2, unreadable: 0 });
  for (const { digest, size } of [config, layer, absent, image, top]) {
    expect(index.linked(app, digest)).toEqual({ digest, size });
  }
  for (const { digest } of [other, orphan]) expect(index.linked(app, digest)).toBeUndefined();
  expect(index.usage(top.digest)?.children).toEqual([child.digest, other.digest].sort());
  expect(index.usage(layer.digest)).toMatchObject({ size: 5, upstream: 'ghcr.io' });
  expect(index.usage(absent.digest)).toBeUndefined();
  expect(index.totals().bytesByUpstream.get('')).toBe(orphan.size);
  expect(index.oldest({ upstream: '', limit: 9, nowMs: 0 }).map(({ digest }) => digest)).toEqual([
    orphan.digest,
  ]);
});

test('running it again changes nothing', async () => {
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await store('layer')) };
  const image = await store({ schemaVersion: 2, layers: [layer] });
  await revisions.put(app, { ...image, mediaType: imageType });
  await rebuild();
  const known = (): unknown[] => [
    index.usage(layer.digest)?.upstream,
    index.usage(image.digest)?.children,
    index.linked(app, layer.digest),
    index.totals().bytes,
  ];
  const once = known();
  await rebuild();
  expect(known()).toEqual(once);
});

test('a revision whose manifest was evicted is linked, no more', async () => {
  await revisions.put(app, { digest: digestOf(1), mediaType: imageType, size: 7 });
  expect(await rebuild()).toEqual({ blobs: 0, revisions: 1, unreadable: 0 });
  expect(index.linked(app, digestOf(1))?.size).toBe(7);
  expect(index.usage(digestOf(1))).toBeUndefined();
});

test('a manifest that can not be parsed is counted and does not stop the others', async () => {
  const broken = await store('{');
  const good = await store({ schemaVersion: 2, layers: [] });
  await revisions.put(app, { ...broken, mediaType: imageType });
  await revisions.put(app, { ...good, mediaType: imageType });
  expect(await rebuild()).toEqual({ blobs: 2, revisions: 2, unreadable: 1 });
  expect(index.usage(broken.digest)?.upstream).toBe('ghcr.io');
});

test('an aborted rebuild ends with the reason', async () => {
  await store('a');
  const signal = AbortSignal.abort(new Error('stopping'));
  await expect(rebuildIndex({ index, blobs, revisions, logger: silentLogger, signal })).rejects.toThrow(
    'stopping',
  );
});
