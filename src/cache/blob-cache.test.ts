import { beforeEach, describe, expect, it } from 'vitest';
import { app, CacheBench } from '../../test/fakes/cache-bench.ts';
import { readAll } from '../../test/fakes/fill-bench.ts';
import { content, image, layerBytes, type FakeContent } from '../../test/fakes/images.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { UpstreamErrorKind } from '../upstream/upstream-error.ts';
import type { BlobIntent, FoundBlob } from './blob-cache.ts';

const blob = content(layerBytes(5_000, 'blob'));
const other = 'team/other' as RepositoryName;
const intents: BlobIntent[] = ['head', 'whole', 'range'];
const empty = content('');

let bench: CacheBench;

beforeEach(() => {
  bench = new CacheBench();
  bench.client.addBlob(app, blob.digest, blob.bytes);
});

async function find(
  intent: BlobIntent,
  { digest }: Pick<FakeContent, 'digest'> = blob,
  name = app,
): Promise<FoundBlob> {
  return bench.blobs.find(bench.repository(name), digest, intent);
}

async function pull(name = app): Promise<void> {
  const found = await find('whole', blob, name);
  await readAll(await found.open(0, undefined));
  await bench.clock.advance(0);
}

describe('a blob that nobody has asked for', () => {
  it('is proven by the GET that brings it', async () => {
    const found = await find('whole');
    expect(found).toMatchObject({
      size: 5_000,
      outcome: { kind: 'forward', reason: 'miss', collapsed: false },
    });
    expect(await readAll(await found.open(0, undefined))).toEqual(Buffer.from(blob.bytes));
    expect(bench.asked()).toEqual([`getBlob ${blob.digest}`]);
  });

  it('is not downloaded for a HEAD', async () => {
    expect((await find('head')).size).toBe(5_000);
    expect(bench.asked()).toEqual([`headBlob ${blob.digest}`]);
    expect((await find('head')).size).toBe(5_000);
    expect(bench.asked()).toEqual([]);
  });

  it('costs one HEAD for a range, and one GET of those bytes', async () => {
    const found = await find('range');
    expect(await readAll(await found.open(100, 200))).toEqual(Buffer.from(blob.bytes.subarray(100, 200)));
    expect(bench.asked()).toEqual([`headBlob ${blob.digest}`, `getBlob ${blob.digest}`]);
  });

  it('is asked for once by all who come together', async () => {
    const finds = await Promise.all([find('whole'), find('whole'), find('head')]);
    const collapsed = finds.map(({ outcome }) => outcome.kind === 'forward' && outcome.collapsed);
    expect(collapsed).toEqual([false, true, true]);
    expect(bench.asked()).toHaveLength(1);
  });

  it.each(intents)('and that is absent is 404 for %s, remembered for ten seconds', async (intent) => {
    const absent = content('absent');
    await expect(find(intent, absent)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN', status: 404 });
    await bench.clock.advance(9_999);
    bench.asked();
    await expect(find(intent, absent)).rejects.toMatchObject({ status: 404 });
    expect(bench.asked()).toEqual([]);
    bench.client.addBlob(app, absent.digest, absent.bytes);
    await bench.clock.advance(1);
    await find(intent, absent);
  });
});

describe('a blob that is larger than what may be stored', () => {
  it.each(['whole', 'range'] as const)('passes through, and says so: %s', async (intent) => {
    bench = new CacheBench({ maxBlobBytes: 4_999 });
    bench.client.addBlob(app, blob.digest, blob.bytes);
    const found = await find('head');
    expect(found.outcome).toEqual({ kind: 'pass-through' });
    const again = await find(intent);
    expect(again.outcome).toEqual({ kind: 'pass-through' });
    expect(await readAll(await again.open(10, undefined))).toEqual(Buffer.from(blob.bytes.subarray(10)));
    expect(await bench.store.stat(blob.digest)).toBeUndefined();
  });
});

describe('a blob that is here', () => {
  it('is a hit that asks for nothing', async () => {
    await pull();
    bench.asked();
    for (const intent of intents) expect((await find(intent)).outcome).toEqual({ kind: 'hit' });
    expect(bench.asked()).toEqual([]);
  });

  it.each(intents)('counts as used when it is asked for: %s', async (intent) => {
    await pull();
    const [{ digest }, usedAtMs] = [blob, bench.clock.nowMs()];
    bench.index.record({ digest, size: 5_000, upstream: 'docker.io', usedAtMs, children: [] });
    await bench.clock.advance(1_000);
    await find(intent);
    expect(bench.index.usage(digest)?.usedAtMs).toBe(usedAtMs + 1_000);
  });

  it.each(intents)('through another repository needs a HEAD there first: %s', async (intent) => {
    await pull();
    bench.client.addBlob(other, blob.digest, blob.bytes);
    bench.asked();
    const found = await find(intent, blob, other);
    expect(await readAll(await found.open(0, undefined))).toEqual(Buffer.from(blob.bytes));
    await find(intent, blob, other);
    expect(bench.asked()).toEqual([`headBlob ${blob.digest}`]);
  });

  it.each(intents)('through a repository that has it not is 404: %s', async (intent) => {
    await pull();
    bench.client.addBlob(other, empty.digest, empty.bytes);
    await expect(find(intent, blob, other)).rejects.toMatchObject({ status: 404 });
  });

  it('through another upstream needs proof of that one', async () => {
    await pull();
    bench.asked();
    const repository = bench.repository();
    const elsewhere = { ...repository, key: { ...repository.key, upstream: 'ghcr.io' } };
    await bench.blobs.find(elsewhere, blob.digest, 'whole');
    expect(bench.asked()).toEqual([`headBlob ${blob.digest}`]);
  });

  it('is served while its upstream is away', async () => {
    await pull();
    bench.fail('unavailable');
    bench.breakerOpen = true;
    for (const intent of intents) expect((await find(intent)).outcome).toEqual({ kind: 'hit' });
  });

  it('through another repository is 503 while that can not be proven', async () => {
    await pull();
    bench.fail('unavailable');
    await expect(find('whole', blob, other)).rejects.toMatchObject({ status: 503 });
  });

  it('is fetched again after it was evicted', async () => {
    await pull();
    await bench.store.remove(blob.digest);
    bench.asked();
    await pull();
    expect(bench.asked()).toEqual([`getBlob ${blob.digest}`]);
  });
});

describe('a verdict and an outage', () => {
  it('a repository that is closed gives none of its other blobs', async () => {
    await pull();
    bench.fail('denied');
    await expect(find('head', content('another'))).rejects.toMatchObject({ status: 404 });
    await expect(find('whole')).rejects.toMatchObject({ status: 404 });
  });

  it.each(['unavailable', 'throttled', 'credential', 'malformed'] satisfies UpstreamErrorKind[])(
    '%s is 503 and not remembered',
    async (kind) => {
      bench.fail(kind);
      await expect(find('head')).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 503 });
      bench.recover();
      expect((await find('head')).size).toBe(5_000);
    },
  );

  it('a HEAD of what only a manifest told of is 503 while the breaker is open', async () => {
    const named = image();
    await bench.shelf.put(bench.repository().key, named.manifest);
    const [config] = named.blobs;
    expect((await find('head', config)).size).toBe(config!.bytes.length);
    bench.breakerOpen = true;
    await expect(find('head', config)).rejects.toMatchObject({ status: 503 });
  });
});

describe('a blob without bytes', () => {
  it('is known without being fetched once its repository has shown it', async () => {
    bench.client.addBlob(app, empty.digest, empty.bytes);
    for (const intent of intents) expect(await find(intent, empty)).toMatchObject({ size: 0 });
    expect(bench.asked()).toEqual([`headBlob ${empty.digest}`]);
    bench.fail('unavailable');
    expect((await find('whole', empty)).outcome).toEqual({ kind: 'hit' });
  });

  it('is 404 where the repository has it not', async () => {
    await expect(find('whole', empty)).rejects.toMatchObject({ status: 404 });
  });

  it.each(['whole', 'range'] as const)('that is none is refused: %s', async (intent) => {
    bench.index.link(bench.repository().key, [{ digest: blob.digest, size: 0 }]);
    const refused = expect(find(intent)).rejects.toMatchObject({ status: 503 });
    await bench.clock.advance(60_000);
    await refused;
  });
});
