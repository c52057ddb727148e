import { beforeEach, describe, expect, it } from 'vitest';
import { app, CacheBench } from '../../test/fakes/cache-bench.ts';
import { image, index, layerBytes } from '../../test/fakes/images.ts';
import { parseReference } from '../oci/reference.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { UpstreamErrorKind } from '../upstream/upstream-error.ts';

const first = image({ layers: [layerBytes(300, 'first')] });
const second = image({ layers: [layerBytes(300, 'second')] });
const hit = { kind: 'hit' };
const miss = { kind: 'forward', reason: 'miss', stored: true, collapsed: false };
const revalidated = { ...miss, reason: 'stale' };

let bench: CacheBench;

beforeEach(() => {
  bench = new CacheBench();
  bench.addImage(first, 'latest');
});

describe('a tag', () => {
  it('is fetched by HEAD and one GET by digest, byte for byte', async () => {
    const { manifest, outcome } = await bench.pull('latest');
    expect(manifest.bytes).toEqual(first.manifest.bytes);
    expect(manifest).toMatchObject({ digest: first.manifest.digest, mediaType: first.manifest.mediaType });
    expect(outcome).toEqual(miss);
    expect(bench.asked()).toEqual(['headManifest latest', `getManifest ${first.manifest.digest}`]);
  });

  it('is not asked for again while it is fresh', async () => {
    await bench.pull('latest');
    bench.asked();
    await bench.storeBlobs(first);
    await bench.clock.advance(59_999);
    expect((await bench.pull('latest')).outcome).toEqual(hit);
    expect(bench.asked()).toEqual([]);
  });

  it('costs one HEAD when it is no longer fresh and has not changed', async () => {
    await bench.pull('latest');
    bench.asked();
    await bench.clock.advance(60_000);
    expect((await bench.pull('latest')).outcome).toEqual(revalidated);
    expect(bench.asked()).toEqual(['headManifest latest']);
    expect((await bench.pull('latest')).outcome).toEqual(hit);
  });

  it('costs HEAD and one GET by digest when it moved', async () => {
    await bench.pull('latest');
    bench.addImage(second, 'latest');
    await bench.clock.advance(60_000);
    bench.asked();
    expect((await bench.pull('latest')).manifest.digest).toBe(second.manifest.digest);
    expect(bench.asked()).toEqual(['headManifest latest', `getManifest ${second.manifest.digest}`]);
  });

  it('needs no GET when it moves back to what is here', async () => {
    await bench.pull('latest');
    bench.addImage(second, 'latest');
    await bench.clock.advance(60_000);
    await bench.pull('latest');
    bench.addImage(first, 'latest');
    await bench.clock.advance(60_000);
    bench.asked();
    expect((await bench.pull('latest')).manifest.digest).toBe(first.manifest.digest);
    expect(bench.asked()).toEqual(['headManifest latest']);
  });

  it('is asked for by GET where the upstream tells no digest', async () => {
    const { client } = bench;
    client.headManifest = async () => ({ digest: undefined, mediaType: 'x', size: undefined });
    expect((await bench.pull('latest')).manifest.bytes).toEqual(first.manifest.bytes);
    expect(bench.asked()).toEqual(['getManifest latest']);
  });

  it('is remembered over a restart', async () => {
    await bench.pull('latest');
    bench.asked();
    const restarted = bench.newManifestCache();
    const answer = await restarted.get(bench.repository(), parseReference('latest')!);
    expect(answer.outcome).toEqual(hit);
    expect(bench.asked()).toEqual([]);
  });

  it('is a miss when it is fresh and its manifest was evicted', async () => {
    await bench.pull('latest');
    await bench.store.remove(first.manifest.digest);
    expect((await bench.pull('latest')).outcome).toEqual(miss);
  });

  it('is asked for when a clock that ran ahead was set right', async () => {
    bench.clock.jumpWall(365 * 86_400_000);
    await bench.pull('latest');
    bench.clock.jumpWall(-365 * 86_400_000);
    bench.asked();
    await bench.pull('latest');
    expect(bench.asked()).toEqual(['headManifest latest']);
  });

  it('is answered at once within stale-while-revalidate, and confirmed behind the client', async () => {
    bench.rule = { ...bench.rule, staleWhileRevalidateMs: 30_000 };
    await bench.pull('latest');
    bench.addImage(second, 'latest');
    await bench.storeBlobs(first);
    await bench.clock.advance(89_999);
    const gate = Promise.withResolvers<void>();
    bench.client.script.beforeCall = async () => gate.promise;
    expect((await bench.pull('latest')).manifest.digest).toBe(first.manifest.digest);
    gate.resolve();
    await bench.clock.advance(0);
    expect((await bench.pull('latest')).manifest.digest).toBe(second.manifest.digest);
  });

  it('is waited for beyond stale-while-revalidate', async () => {
    bench.rule = { ...bench.rule, staleWhileRevalidateMs: 30_000 };
    await bench.pull('latest');
    bench.addImage(second, 'latest');
    await bench.clock.advance(90_000);
    expect((await bench.pull('latest')).manifest.digest).toBe(second.manifest.digest);
  });
});

describe('many clients of one tag', () => {
  it('are answered from one HEAD and one GET', async () => {
    const gate = Promise.withResolvers<void>();
    const { beforeCall } = bench.client.script;
    bench.client.script.beforeCall = async (call) => gate.promise.then(() => beforeCall(call));
    const pulls = Array.from({ length: 20 }, async () => bench.pull('latest'));
    await bench.clock.advance(0);
    gate.resolve();
    const outcomes = (await Promise.all(pulls)).map(({ outcome }) => outcome);
    expect(bench.asked()).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome.kind === 'forward' && outcome.collapsed)).toHaveLength(19);
  });

  it('share one failure', async () => {
    bench.fail('unavailable');
    const pulls = await Promise.allSettled([bench.pull('latest'), bench.pull('latest')]);
    expect(pulls.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(bench.asked()).toHaveLength(1);
  });
});

describe('while the upstream cannot be asked', () => {
  const outages: UpstreamErrorKind[] = ['unavailable', 'throttled', 'credential', 'malformed'];

  it.each(outages)('%s: the stale tag is served with its age', async (kind) => {
    await bench.pull('latest');
    await bench.storeBlobs(first);
    await bench.clock.advance(100_000);
    bench.fail(kind);
    const { manifest, outcome } = await bench.pull('latest');
    expect(manifest.digest).toBe(first.manifest.digest);
    expect(outcome).toEqual({ kind: 'stale', ageMs: 100_000, overdueMs: 40_000, detail: kind });
  });

  it.each(outages)('%s: a tag that was never here is 503', async (kind) => {
    bench.fail(kind);
    await expect(bench.pull('latest')).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 503 });
  });

  it('a tag is served up to freshness and stale-if-error, then 503', async () => {
    await bench.pull('latest');
    await bench.storeBlobs(first);
    bench.fail('unavailable');
    await bench.clock.advance(60_000 + bench.rule.staleIfErrorMs - 1);
    expect((await bench.pull('latest')).outcome.kind).toBe('stale');
    await bench.clock.advance(1);
    await expect(bench.pull('latest')).rejects.toMatchObject({ status: 503 });
  });

  it('a stale tag waits only a little for an upstream that says nothing, and is confirmed behind', async () => {
    await bench.pull('latest');
    await bench.storeBlobs(first);
    await bench.clock.advance(100_000);
    bench.addImage(second, 'latest');
    const gate = Promise.withResolvers<void>();
    bench.client.script.beforeCall = async () => gate.promise;
    const pull = bench.pull('latest');
    await bench.clock.advance(1_999);
    await bench.clock.advance(1);
    expect((await pull).outcome).toEqual({
      kind: 'stale',
      ageMs: 102_000,
      overdueMs: 42_000,
      detail: 'unavailable',
    });
    gate.resolve();
    await bench.clock.advance(0);
    const next = await bench.pull('latest');
    expect(next.manifest.digest).toBe(second.manifest.digest);
  });

  it('a stale tag asks an upstream that failed once a second, however many pull it', async () => {
    await bench.pull('latest');
    await bench.storeBlobs(first);
    await bench.clock.advance(100_000);
    bench.fail('malformed');
    bench.asked();
    for (let count = 0; count < 20; count += 1) await bench.pull('latest');
    expect(bench.asked()).toHaveLength(1);
    await bench.clock.advance(1_000);
    bench.recover();
    expect((await bench.pull('latest')).outcome.kind).not.toBe('stale');
  });

  it('a tag that was never here waits for as long as the upstream may take', async () => {
    const gate = Promise.withResolvers<void>();
    bench.client.script.beforeCall = async () => gate.promise;
    const pull = bench.pull('latest');
    await bench.clock.advance(9_000);
    gate.resolve();
    expect((await pull).outcome).toEqual(miss);
  });

  it('the outage is not remembered', async () => {
    bench.fail('unavailable');
    await expect(bench.pull('latest')).rejects.toThrow();
    bench.recover();
    expect((await bench.pull('latest')).outcome).toEqual(miss);
  });

  it('a client is told when to come back, if the upstream said so', async () => {
    bench.fail('throttled', 41_001);
    await expect(bench.pull('latest')).rejects.toMatchObject({ headers: { 'Retry-After': '42' } });
  });
});

describe('a verdict', () => {
  it('is remembered for ten seconds', async () => {
    const missing = async (): Promise<unknown> =>
      bench.pull('none').catch(({ code }: { code: string }) => code);
    expect(await missing()).toBe('MANIFEST_UNKNOWN');
    await bench.clock.advance(9_999);
    expect(await missing()).toBe('MANIFEST_UNKNOWN');
    expect(bench.asked()).toEqual(['headManifest none']);
    await bench.clock.advance(1);
    expect(await missing()).toBe('MANIFEST_UNKNOWN');
    expect(bench.asked()).toEqual(['headManifest none']);
  });

  it('on a tag that is here is obeyed, also in the outage that follows', async () => {
    await bench.pull('latest');
    await bench.storeBlobs(first);
    bench.client.removeTag(app, 'latest');
    await bench.clock.advance(60_000);
    await expect(bench.pull('latest')).rejects.toMatchObject({ status: 404 });
    bench.fail('unavailable');
    await bench.clock.advance(10_000);
    await expect(bench.pull('latest')).rejects.toMatchObject({ status: 503 });
    expect((await bench.pull(first.manifest.digest)).outcome).toEqual(hit);
  });

  it('that the repository is closed takes its manifests away, by digest too', async () => {
    await bench.pull('latest');
    await bench.storeBlobs(first);
    await bench.clock.advance(60_000);
    bench.fail('denied');
    await expect(bench.pull('latest')).rejects.toMatchObject({ status: 404 });
    await expect(bench.pull(first.manifest.digest)).rejects.toMatchObject({ status: 404 });
    expect(bench.manifests.hot(bench.repository(), parseReference(first.manifest.digest)!)).toBeUndefined();
    await expect(bench.blobs.find(bench.repository(), first.blobs[0]!.digest, 'whole')).rejects.toMatchObject(
      { status: 404 },
    );
  });

  it('on a digest that the repository is closed takes its other manifests away', async () => {
    await bench.pull('latest');
    bench.fail('denied');
    await expect(bench.pull(second.manifest.digest)).rejects.toMatchObject({ status: 404 });
    await expect(bench.pull(first.manifest.digest)).rejects.toMatchObject({ status: 404 });
    expect(bench.manifests.hot(bench.repository(), parseReference('latest')!)).toBeUndefined();
  });

  it('leaves other repositories alone', async () => {
    const other = 'team/other' as RepositoryName;
    bench.addImage(first, 'latest', other);
    await bench.pull('latest', other);
    bench.fail('denied');
    await expect(bench.pull('latest')).rejects.toMatchObject({ status: 404 });
    expect((await bench.pull('latest', other)).outcome).toEqual(hit);
  });
});

describe('an archived tag', () => {
  it.each(['absent', 'denied'] as const)('is served when the upstream says %s', async (kind) => {
    bench.archived = (tag) => tag === 'latest';
    await bench.pull('latest');
    await bench.clock.advance(30 * 86_400_000);
    bench.fail(kind);
    bench.asked();
    expect((await bench.pull('latest')).outcome).toMatchObject({ kind: 'stale', detail: kind });
    expect((await bench.pull('latest')).outcome).toMatchObject({ kind: 'stale', detail: kind });
    expect(bench.asked()).toEqual(['headManifest latest']);
  });

  it('outlives the closing of its repository with all that its index names', async () => {
    const both = index();
    bench.addIndex(both, 'v1');
    bench.archived = (tag) => tag === 'v1';
    await bench.pull('v1');
    for (const child of both.images) await bench.pull(child.manifest.digest);
    await bench.storeBlobs(both.images[0]!);
    bench.fail('denied');
    await bench.clock.advance(60_000);
    await expect(bench.pull('latest')).rejects.toMatchObject({ status: 404 });
    expect((await bench.pull('v1')).manifest.digest).toBe(both.manifest.digest);
    expect((await bench.pull(both.images[0]!.manifest.digest)).outcome).toEqual(hit);
    await bench.blobs.find(bench.repository(), both.images[0]!.blobs[0]!.digest, 'whole');
    await expect(bench.pull(first.manifest.digest)).rejects.toMatchObject({ status: 404 });
  });
});

describe('a digest', () => {
  const { digest } = first.manifest;

  it('is one GET, and none from then on', async () => {
    expect((await bench.pull(digest)).outcome).toEqual(miss);
    expect(bench.asked()).toEqual([`getManifest ${digest}`]);
    await bench.storeBlobs(first);
    await bench.clock.advance(365 * 86_400_000);
    expect((await bench.pull(digest)).outcome).toEqual(hit);
    expect(bench.asked()).toEqual([]);
  });

  it('that another repository brought is served after a HEAD in this one', async () => {
    const other = 'team/other' as RepositoryName;
    await bench.pull(digest);
    bench.addImage(first, undefined, other);
    bench.asked();
    await bench.pull(digest, other);
    expect(bench.asked()).toEqual([`headManifest ${digest}`]);
  });

  it('that another repository brought is refused where the upstream has it not', async () => {
    const other = 'team/other' as RepositoryName;
    await bench.pull(digest);
    bench.addImage(second, undefined, other);
    await expect(bench.pull(digest, other)).rejects.toMatchObject({ status: 404 });
    expect(bench.manifests.hot(bench.repository(other), parseReference(digest)!)).toBeUndefined();
  });

  it('of a child needs its own proof: an index may name anything', async () => {
    const victim = 'team/private' as RepositoryName;
    bench.addImage(second, 'latest', victim);
    await bench.pull('latest', victim);
    await bench.storeBlobs(second);
    const { manifest } = index({ architectures: ['amd64'] });
    const bytes = Buffer.from(
      Buffer.from(manifest.bytes)
        .toString()
        .replace(/sha256:[0-9a-f]{64}/, second.manifest.digest),
    );
    const forged = { ...manifest, bytes };
    bench.client.addManifest(app, forged, 'forged');
    await bench.pull('forged');
    await expect(bench.pull(second.manifest.digest)).rejects.toMatchObject({ status: 404 });
    await expect(bench.blobs.find(bench.repository(), second.manifest.digest, 'whole')).rejects.toMatchObject(
      { status: 404 },
    );
  });

  it('refused is remembered for ten seconds', async () => {
    const ask = bench.pull(second.manifest.digest);
    await expect(ask).rejects.toMatchObject({ status: 404 });
    await expect(bench.pull(second.manifest.digest)).rejects.toMatchObject({ status: 404 });
    expect(bench.asked()).toHaveLength(1);
    await bench.clock.advance(10_000);
    bench.addImage(second);
    await bench.pull(second.manifest.digest);
  });
});

describe('hot', () => {
  it('answers tag and digest from memory after the first pull, and nothing before', async () => {
    const repository = bench.repository();
    const references = [parseReference('latest')!, parseReference(first.manifest.digest)!];
    for (const reference of references) expect(bench.manifests.hot(repository, reference)).toBeUndefined();
    await bench.storeBlobs(first);
    await bench.pull('latest');
    for (const reference of references) {
      expect(bench.manifests.hot(repository, reference)?.manifest.bytes).toEqual(first.manifest.bytes);
    }
    await bench.clock.advance(60_000);
    await bench.pull(first.manifest.digest);
    expect(bench.manifests.hot(repository, references[0]!)).toBeUndefined();
    expect(bench.manifests.hot(repository, references[1]!)).toBeDefined();
  });

  it('counts as a use, like any other answer', async () => {
    await bench.storeBlobs(first);
    await bench.pull('latest');
    for (const ask of [
      () => bench.manifests.hot(bench.repository(), parseReference('latest')!),
      async () => bench.pull('latest'),
    ]) {
      await bench.clock.advance(1_000);
      await ask();
      expect(bench.index.usage(first.manifest.digest)?.usedAtMs).toBe(bench.clock.nowMs());
    }
  });

  it('leaves what may not be deliverable to be found out', async () => {
    await bench.pull('latest');
    bench.fail('unavailable');
    expect(bench.manifests.hot(bench.repository(), parseReference('latest')!)).toBeUndefined();
    await expect(bench.pull('latest')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  });
});
