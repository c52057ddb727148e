import { beforeEach, describe, expect, it } from 'vitest';
import { app, CacheBench } from '../test/fakes/cache-bench.ts';
import { content, image, layerBytes } from '../test/fakes/images.ts';
import { noMetrics } from '../src/base/metrics.ts';
import { PublicAccess } from '../src/cache/public-access.ts';
import type { RegistryAnswer, RegistryRequest } from '../src/http/registry-service.ts';
import { parseRoute } from '../src/oci/route.ts';
import { MemoryRegistryClient } from '../src/upstream/memory-registry-client.ts';
import { Addressing } from './addressing.ts';
import { EdgeMetrics } from './edge-metrics.ts';
import { EdgeRegistry } from './edge-registry.ts';

const one = image({ layers: [layerBytes(1_000, 'layer')] });
const [, layer] = one.blobs;
const name = `docker.io/${app}`;

let bench: CacheBench;
let registry: EdgeRegistry;

beforeEach(() => {
  bench = new CacheBench();
  bench.addImage(one, 'latest');
  registry = newRegistry(undefined);
});

function newRegistry(publicAccess: PublicAccess | undefined): EdgeRegistry {
  return new EdgeRegistry({
    addressing: new Addressing([{ name: 'docker.io', hosts: ['docker.io', 'mirror.example'] }]),
    upstreams: new Map([['docker.io', { cached: bench.repository().upstream, publicAccess }]]),
    manifests: bench.manifests,
    blobs: bench.blobs,
    listings: bench.listings,
    metrics: new EdgeMetrics(noMetrics),
  });
}

interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Record<string, string>;
}

function request(target: string, { method = 'GET', host, headers = {} }: Asked): RegistryRequest {
  const url = new URL(`http://edge${target}`);
  const { signal } = new AbortController();
  const route = parseRoute(url.pathname);
  if (route === undefined) throw new Error(`no route: ${target}`);
  return { method, route, headers, query: url.searchParams, host, signal };
}

async function ask(target: string, asked: Asked = {}): Promise<RegistryAnswer> {
  return registry.handle(request(target, asked));
}

function json({ body }: RegistryAnswer): unknown {
  return body.kind === 'bytes' ? JSON.parse(Buffer.from(body.bytes).toString()) : body;
}

describe('reads', () => {
  it('the base is 200 without a challenge', async () => {
    expect(await ask('/v2/')).toMatchObject({ status: 200, headers: { 'Content-Type': 'application/json' } });
  });

  it('a manifest comes byte for byte, with its outcome in the log', async () => {
    const answer = await ask(`/v2/${name}/manifests/latest`);
    expect(answer.body).toMatchObject({ bytes: one.manifest.bytes });
    expect(answer.log).toEqual({ upstream: 'docker.io', repository: app, cache: 'miss' });
    expect(await ask(`/v2/${name}/manifests/latest`)).toMatchObject({ log: { cache: 'hit' } });
  });

  it('a warm manifest is answered without a turn of the event loop', async () => {
    await ask(`/v2/${name}/manifests/latest`);
    const answer = registry.handle(request(`/v2/${name}/manifests/latest`, {}));
    expect(answer).not.toBeInstanceOf(Promise);
    expect(answer).toMatchObject({ headers: { 'Cache-Status': 'wherry; hit' } });
  });

  it('tags come in pages that name the next one', async () => {
    for (const tag of ['a', 'b', 'c']) bench.addImage(one, tag);
    const page = await ask(`/v2/${app}/tags/list?n=2&ns=docker.io`);
    expect(json(page)).toEqual({ name: app, tags: ['a', 'b'] });
    expect(page.headers).toMatchObject({
      Link: `</v2/${app}/tags/list?n=2&last=b&ns=docker.io>; rel="next"`,
    });
    const rest = await ask(`/v2/${name}/tags/list?n=2&last=b`);
    expect(json(rest)).toEqual({ name, tags: ['c', 'latest'] });
    expect(rest.headers).not.toHaveProperty('Link');
  });

  it('referrers are filtered here, which is said', async () => {
    const { digest } = one.manifest;
    const [sig, sbom] = ['sig', 'sbom'].map((artifactType) => ({
      digest: content(artifactType).digest,
      artifactType,
      size: 1,
    }));
    for (const one of [sig, sbom]) bench.client.addReferrer(app, digest, one!);
    const all = await ask(`/v2/${name}/referrers/${digest}`);
    expect(json(all)).toMatchObject({ schemaVersion: 2, manifests: [sig, sbom] });
    expect(all.headers).not.toHaveProperty('OCI-Filters-Applied');
    const some = await ask(`/v2/${name}/referrers/${digest}?artifactType=sbom`);
    expect(json(some)).toMatchObject({ manifests: [sbom] });
    expect(some.headers).toMatchObject({ 'OCI-Filters-Applied': 'artifactType' });
  });
});

describe('the registry that a client names by ns', () => {
  it.each([
    [`/v2/${app}/manifests/latest?ns=docker.io`, 'docker.io'],
    [`/v2/${app}/manifests/latest?ns=Docker.IO`, 'Docker.IO'],
    [`/v2/${app}/tags/list?ns=mirror.example`, 'mirror.example'],
    [`/v2/${app}/blobs/${layer!.digest}?ns=docker.io`, 'docker.io'],
  ])('%s is echoed', async (target, namespace) => {
    expect((await ask(target)).headers).toMatchObject({ 'OCI-Namespace': namespace });
  });

  it.each(['ghcr.io', 'a%0D%0AX-Forged:%201', '%E2%82%AC'])(
    'ns=%s is not echoed against Host',
    async (ns) => {
      const answer = await ask(`/v2/${app}/manifests/latest?ns=${ns}`, { host: 'mirror.example' });
      expect(answer.status).toBe(200);
      expect(answer.headers).not.toHaveProperty('OCI-Namespace');
    },
  );
});

describe('what a blob is asked for with', () => {
  const target = `/v2/${name}/blobs/${layer!.digest}`;
  it.each<[string, Asked, string]>([
    ['GET', {}, 'getBlob'],
    ['GET from byte 0 on', { headers: { range: 'bytes=0-' } }, 'getBlob'],
    ['GET of a range', { headers: { range: 'bytes=5-9' } }, 'headBlob'],
    ['GET unless it is here', { headers: { 'if-none-match': '"x"' } }, 'headBlob'],
    ['HEAD', { method: 'HEAD' }, 'headBlob'],
  ])('%s', async (_, asked, call) => {
    await ask(target, asked);
    expect(bench.asked()).toEqual([`${call} ${layer!.digest}`]);
  });
});

describe('refusals', () => {
  const digest = content('no such').digest;
  it.each([
    [`/v2/${name}/manifests/none`, 'MANIFEST_UNKNOWN', 404],
    [`/v2/${name}/manifests/${digest}`, 'MANIFEST_UNKNOWN', 404],
    [`/v2/${name}/manifests/.not-a-tag`, 'MANIFEST_UNKNOWN', 404],
    [`/v2/${name}/manifests/${'a'.repeat(129)}`, 'MANIFEST_UNKNOWN', 404],
    [`/v2/${name}/manifests/sha256:bad`, 'DIGEST_INVALID', 400],
    [`/v2/${name}/manifests/md5:d41d8cd98f00b204e9800998ecf8427e`, 'DIGEST_INVALID', 400],
    [`/v2/${name}/blobs/${digest}`, 'BLOB_UNKNOWN', 404],
    [`/v2/${name}/blobs/sha256:bad`, 'DIGEST_INVALID', 400],
    [`/v2/${name}/referrers/sha256:bad`, 'DIGEST_INVALID', 400],
    [`/v2/${name}/tags/list?n=x`, 'PAGINATION_NUMBER_INVALID', 400],
    ['/v2/docker.io/team/none/tags/list', 'NAME_UNKNOWN', 404],
    ['/v2/docker.io/Team/app/tags/list', 'NAME_INVALID', 400],
    ['/v2/evil.example/team/app/manifests/latest', 'NAME_UNKNOWN', 404],
    ['/v2/team/app/manifests/latest?ns=evil.example', 'NAME_UNKNOWN', 404],
    ['/v2/_catalog', 'UNSUPPORTED', 405],
  ])('GET %s is %s', async (target, code, status) => {
    await expect(ask(target)).rejects.toMatchObject({ code, status });
  });

  it.each([
    ['PUT', `/v2/${name}/manifests/latest`],
    ['DELETE', `/v2/${name}/manifests/latest`],
    ['DELETE', `/v2/${name}/blobs/${digest}`],
    ['POST', `/v2/${name}/blobs/uploads/`],
    ['PATCH', `/v2/${name}/blobs/uploads/1`],
    ['GET', `/v2/${name}/blobs/uploads/1`],
    ['POST', '/v2/'],
  ])('%s %s is read-only', async (method, target) => {
    await expect(ask(target, { method })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      status: 405,
      headers: { Allow: 'GET, HEAD' },
    });
    expect(bench.asked()).toEqual([]);
  });
});

describe('where only what anybody may pull is served', () => {
  let anonymous: MemoryRegistryClient;
  const targets = [
    `/v2/${name}/manifests/latest`,
    `/v2/${name}/manifests/${one.manifest.digest}`,
    `/v2/${name}/blobs/${layer!.digest}`,
    `/v2/${name}/tags/list`,
    `/v2/${name}/referrers/${one.manifest.digest}`,
  ];

  beforeEach(() => {
    anonymous = new MemoryRegistryClient();
    const { clock, index } = bench;
    registry = newRegistry(new PublicAccess({ anonymous, index, clock, lifetimeMs: 3_600_000 }));
  });

  it.each(targets)('%s of a private repository is unknown, though it is cached', async (target) => {
    await bench.pull('latest');
    await bench.storeBlobs(one);
    bench.asked();
    await expect(ask(target)).rejects.toMatchObject({ code: 'NAME_UNKNOWN', status: 404 });
    expect(bench.asked()).toEqual([]);
  });

  it.each(targets)('%s of a public one is served', async (target) => {
    for (const { digest, bytes } of one.blobs) anonymous.addBlob(app, digest, bytes);
    anonymous.addManifest(app, one.manifest, 'latest');
    expect((await ask(target)).status).toBe(200);
  });

  it('nothing is told while that can not be found out', async () => {
    anonymous.script.beforeCall = () => {
      throw new Error('no route to host');
    };
    await expect(ask(targets[0]!)).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 503 });
  });
});
