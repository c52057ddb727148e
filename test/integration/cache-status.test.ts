import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { content, image, layerBytes } from '../fakes/images.ts';
import { waitUntil } from '../programs/wait-until.ts';
import { LocalEdge, type Reply } from './local-edge.ts';

const name = 'team/app';
const one = image({ layers: [layerBytes(3_000, 'layer')] });
const next = image({ layers: [layerBytes(3_001, 'next')] });
const [config, layer] = one.blobs;

let registry: FakeRegistry;
let edge: LocalEdge;

async function start(fresh: string): Promise<void> {
  registry = new FakeRegistry();
  await registry.start();
  registry.addImage(name, one, 'latest');
  edge = await LocalEdge.start({
    upstreams: { 'docker.io': registry.origin },
    config: { freshness: [{ tags: ['*'], fresh, negative: '0s' }] },
  });
}

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await registry.stop();
});

const manifest = async (reference = 'latest'): Promise<Reply> =>
  edge.get(`/v2/${name}/manifests/${reference}`);
const blob = async (digest: string = layer!.digest): Promise<Reply> =>
  edge.get(`/v2/${name}/blobs/${digest}`);
const statusOf = ({ headers }: Reply): unknown => headers['cache-status'];

/** Until what was sent to the client is stored, too. */
async function pullAll(): Promise<void> {
  await manifest();
  for (const { digest } of one.blobs) {
    await blob(digest);
    await waitUntil(async () => (statusOf(await blob(digest)) === 'wherry; hit' ? true : undefined), {
      what: 'a blob to be stored',
      timeoutMs: 10_000,
    });
  }
}

describe('a tag', () => {
  it('is a miss, then a hit', async () => {
    await start('1h');
    expect(statusOf(await manifest())).toBe('wherry; fwd=miss; stored');
    expect(statusOf(await manifest())).toBe('wherry; hit');
    expect(registry.count('HEAD', /manifests/)).toBe(1);
    expect(registry.count('GET', /manifests/)).toBe(1);
  });

  it('that is no longer fresh is asked for by HEAD alone, and fetched when it moved', async () => {
    await start('0s');
    await manifest();
    expect(statusOf(await manifest())).toBe('wherry; fwd=stale; stored');
    expect(registry.count('GET', /manifests/)).toBe(1);
    registry.addImage(name, next, 'latest');
    expect((await manifest()).body).toEqual(Buffer.from(next.manifest.bytes));
    expect(registry.count('GET', /manifests/)).toBe(2);
  });

  it('that many ask for at once is fetched once', async () => {
    await start('1h');
    const gate = Promise.withResolvers<void>();
    registry.inject(({ path }) => path.includes('/manifests/'), { headersAfter: gate.promise }, 1);
    const pulls = Array.from({ length: 10 }, async () => manifest());
    const heads = async (): Promise<true | undefined> =>
      registry.count('HEAD', /manifests/) > 0 ? true : undefined;
    await waitUntil(heads, { what: 'the upstream to be asked', timeoutMs: 10_000 });
    await waitUntil(async () => ((await inFlight()) >= 10 ? true : undefined), {
      what: 'all clients to wait',
      timeoutMs: 10_000,
    });
    gate.resolve();
    const seen = (await Promise.all(pulls)).map(statusOf);
    expect(seen.filter((status) => status === 'wherry; fwd=miss; stored')).toHaveLength(1);
    expect(seen.filter((status) => status === 'wherry; fwd=miss; stored; collapsed')).toHaveLength(9);
    expect(registry.count('GET', /manifests/)).toBe(1);
  });
});

async function inFlight(): Promise<number> {
  const samples = await edge.metric('wherry_http_requests_in_flight');
  return Number(samples.find((sample) => sample.includes('mirror'))?.split(' ')[1] ?? 0);
}

describe('a blob', () => {
  it('is a miss, then a hit', async () => {
    await start('1h');
    expect(statusOf(await blob())).toBe('wherry; fwd=miss; stored');
    await pullAll();
    expect(statusOf(await blob())).toBe('wherry; hit');
    expect(registry.count('GET', new RegExp(layer!.digest))).toBe(1);
  });

  it('that another repository brought is proven by HEAD', async () => {
    await start('1h');
    await pullAll();
    registry.addBlob('team/other', layer!);
    const path = `/v2/team/other/blobs/${layer!.digest}`;
    expect((await edge.get(path)).body).toEqual(Buffer.from(layer!.bytes));
    expect(registry.count('HEAD', /team\/other\/blobs/)).toBe(1);
    expect(registry.count('GET', /team\/other\/blobs/)).toBe(0);
    expect((await edge.get(`/v2/team/other/blobs/${config!.digest}`)).status).toBe(404);
  });
});

describe('while the upstream is away', () => {
  beforeEach(async () => start('0s'));

  it('a whole image is served, the tag as stale with its age', async () => {
    await pullAll();
    await registry.stop();
    const stale = await manifest();
    expect(stale.body).toEqual(Buffer.from(one.manifest.bytes));
    expect(statusOf(stale)).toMatch(/^wherry; hit; ttl=-?\d+; detail=unavailable$/);
    expect(stale.headers.age).toMatch(/^\d+$/);
    expect(statusOf(await manifest(one.manifest.digest))).toBe('wherry; hit');
    for (const each of one.blobs) expect((await blob(each.digest)).body).toEqual(Buffer.from(each.bytes));
  });

  it('an image that is not whole is 404, what was never here is 503', async () => {
    await manifest();
    await registry.stop();
    const reply = await manifest();
    expect(reply.status).toBe(404);
    expect(JSON.parse(reply.body.toString())).toMatchObject({ errors: [{ code: 'MANIFEST_UNKNOWN' }] });
    const unknown = await manifest('other');
    expect([unknown.status, unknown.headers['retry-after']]).toEqual([503, '5']);
  });

  it.each([429, 500, 502, 503, 504])('and answers %i, stale is served', async (status) => {
    await pullAll();
    registry.inject(() => true, { answer: { status } });
    expect((await manifest()).body).toEqual(Buffer.from(one.manifest.bytes));
  });

  it('it is noticed when it is back', async () => {
    await manifest();
    registry.inject(() => true, { answer: { status: 503 } }, 1);
    await manifest();
    registry.addImage(name, next, 'latest');
    const found = await waitUntil(
      async () => {
        const reply = await manifest();
        return reply.body.equals(next.manifest.bytes) ? reply : undefined;
      },
      { what: 'the new image', timeoutMs: 20_000 },
    );
    expect(statusOf(found)).toBe('wherry; fwd=stale; stored');
  });
});

describe('a verdict', () => {
  beforeEach(async () => start('0s'));

  it('that a tag is gone is obeyed', async () => {
    await pullAll();
    registry.removeTag(name, 'latest');
    expect((await manifest()).status).toBe(404);
    await registry.stop();
    expect((await manifest()).status).toBe(503);
  });

  it('that the repository is closed takes all of it away', async () => {
    await pullAll();
    registry.inject(() => true, { answer: { status: 403, body: '{"errors":[{"code":"DENIED"}]}' } });
    expect((await manifest()).status).toBe(404);
    expect((await manifest(one.manifest.digest)).status).toBe(404);
    expect((await blob()).status).toBe(404);
  });

  it('that a blob is gone which its manifest names is 404 to the client', async () => {
    await manifest();
    registry.inject(({ path }) => path.includes('/blobs/'), { answer: { status: 404 } });
    expect((await blob()).status).toBe(404);
    expect((await edge.get(`/v2/${name}/blobs/${content('x').digest}`)).status).toBe(404);
  });
});
