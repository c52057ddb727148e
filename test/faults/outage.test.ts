import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FakeFault } from '../fakes/fake-body.ts';
import { selfSigned } from '../fakes/fake-listener.ts';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { image, layerBytes } from '../fakes/images.ts';
import { Edge } from '../programs/edge.ts';
import { TempFolder } from '../programs/temp-folder.ts';
import { waitUntil } from '../programs/wait-until.ts';
import { FaultBench } from './fault-bench.ts';
import { pull, type Pulled } from './pull.ts';
import { untilStored } from './stored-files.ts';

const never = new Promise<void>(() => undefined);

const outages: readonly (readonly [string, FakeFault])[] = [
  ['429 with Retry-After', { answer: { status: 429, headers: { 'retry-after': '120' } } }],
  ['429 without Retry-After', { answer: { status: 429 } }],
  ['429 with a Retry-After of no sense', { answer: { status: 429, headers: { 'retry-after': 'soon' } } }],
  ['500', { answer: { status: 500, body: 'oops' } }],
  ['502 with a page', { answer: { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>' } }],
  ['503', { answer: { status: 503, headers: { 'retry-after': '-5' } } }],
  ['headers that never come', { headersAfter: never }],
  ['a connection reset', { reset: true }],
];

/** It is there, but what it says makes no sense. */
const nonsense: readonly (readonly [string, FakeFault])[] = [
  ['a redirect without Location', { answer: { status: 302 } }],
  ['an unknown status', { answer: { status: 299, body: 'hello' } }],
  ['a page of HTML', { answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' } }],
];

const repository = 'library/app';

/** Short enough for a test to sit out, and as many tries as the breaker allows. */
const upstreamSettings = {
  timeouts: { connect: '1s', headers: '500ms', idle: '1s' },
  breaker: { failures: 3, pause: '1h', maxPause: '1h' },
  freshness: [{ tags: ['*'], fresh: '0s', staleIfError: '7d', negative: '0s' }],
};

describe.for(outages)('an upstream that answers with %s', ([, fault]) => {
  let bench: FaultBench;
  const cached = image({ layers: [layerBytes(200_000, 'cached')] });
  const partly = image({ layers: [layerBytes(1_000, 'not pulled')], architecture: 'arm64' });
  let before: number;

  beforeAll(async () => {
    bench = await FaultBench.start({ label: 'outage', upstream: upstreamSettings });
    bench.upstream.addImage(repository, cached, 'latest');
    bench.upstream.addImage(repository, partly, 'partly');
    for (const reference of ['latest', 'partly']) await pull(bench.manifestUrl(repository, reference));
    for (const { digest } of cached.blobs) await pull(bench.blobUrl(repository, digest));
    await untilStored(bench.edge.dataFolder, cached);
    bench.upstream.inject(() => true, fault);
    before = bench.upstream.requests.length;
  });

  afterAll(async () => bench[Symbol.asyncDispose]());

  test('the cached tag is served stale, and says so', async () => {
    const answer = await pull(bench.manifestUrl(repository, 'latest'));
    expect([answer.status, answer.bytes.equals(cached.manifest.bytes)]).toEqual([200, true]);
    expect(answer.headers.age).toMatch(/^\d+$/);
    expect(answer.headers['cache-status']).toMatch(/hit; ttl=-?\d+; detail=/);
  });

  test('cached content by digest and tag is served 600 times with a handful of tries', async () => {
    const urls = [
      bench.manifestUrl(repository, 'latest'),
      bench.manifestUrl(repository, cached.manifest.digest),
      bench.blobUrl(repository, cached.blobs[1]!.digest),
    ];
    for (let round = 0; round < 40; round += 1) {
      const answers = await Promise.all(Array.from({ length: 15 }, async (_, at) => pull(urls[at % 3]!)));
      expect(new Set(answers.map(({ status, complete }) => `${status} ${complete}`))).toEqual(
        new Set(['200 true']),
      );
    }
    expect(bench.upstream.requests.length - before).toBeLessThanOrEqual(6);
  });

  test('what is not cached is refused, not with 500', async () => {
    const urls = [
      bench.manifestUrl(repository, 'other'),
      bench.manifestUrl('library/other', 'latest'),
      bench.manifestUrl(repository, 'partly'),
      bench.blobUrl(repository, partly.blobs[1]!.digest),
    ];
    for (const url of urls) {
      const { status } = await pull(url);
      expect([404, 503], url).toContain(status);
    }
    expect(bench.upstream.requests.length - before).toBeLessThanOrEqual(10);
  });
});

test.for(nonsense)('an upstream that answers with %s: the cached tag is served', async ([, fault]) => {
  await using bench = await FaultBench.start({ label: 'nonsense', upstream: upstreamSettings });
  const cached = image({ layers: [layerBytes(20_000, 'cached')] });
  bench.upstream.addImage(repository, cached, 'latest');
  await pull(bench.manifestUrl(repository, 'latest'));
  for (const { digest } of cached.blobs) await pull(bench.blobUrl(repository, digest));
  await untilStored(bench.edge.dataFolder, cached);
  bench.upstream.inject(() => true, fault);

  for (let round = 0; round < 20; round += 1) {
    const answer = await pull(bench.manifestUrl(repository, 'latest'));
    expect([answer.status, answer.bytes.equals(cached.manifest.bytes)]).toEqual([200, true]);
    expect(answer.headers['cache-status']).toContain('detail=malformed');
  }
  expect([404, 503]).toContain((await pull(bench.manifestUrl(repository, 'other'))).status);
});

describe('an upstream that flaps', () => {
  test('two of five answers are 500: all comes in the end, and what is cached never fails', async () => {
    await using bench = await FaultBench.start({
      label: 'flapping',
      upstream: { ...upstreamSettings, breaker: { failures: 3, pause: '10ms', maxPause: '20ms' } },
    });
    const flapping = image({ layers: [layerBytes(50_000, 'flap')] });
    bench.upstream.addImage('library/flap', flapping, 'latest');
    let requests = 0;
    bench.upstream.inject(() => (requests += 1) % 5 < 2, { answer: { status: 500 } });
    const tag = bench.manifestUrl('library/flap', 'latest');

    for (const url of [tag, ...flapping.blobs.map(({ digest }) => bench.blobUrl('library/flap', digest))]) {
      const got = async (): Promise<true | undefined> => {
        const { status, complete } = await pull(url);
        if (status !== 200) expect([404, 503]).toContain(status);
        return status === 200 && complete ? true : undefined;
      };
      await waitUntil(got, { what: url, timeoutMs: 60_000, intervalMs: 5 });
    }
    await untilStored(bench.edge.dataFolder, flapping);

    for (let round = 0; round < 50; round += 1) expect((await pull(tag)).status).toBe(200);
  });
});

describe('an upstream that is not there', () => {
  const cached = image({ layers: [layerBytes(80_000, 'there')] });
  let bench: FaultBench;

  beforeAll(async () => {
    bench = await FaultBench.start({ label: 'gone', upstream: upstreamSettings });
    bench.upstream.addImage(repository, cached, 'latest');
    await pullImage();
    await untilStored(bench.edge.dataFolder, cached);
  });

  afterAll(async () => bench[Symbol.asyncDispose]());

  beforeEach(async () => bench.upstream.stop());

  async function pullImage(): Promise<Pulled[]> {
    const answers = [await pull(bench.manifestUrl(repository, 'latest'))];
    for (const { digest } of cached.blobs) answers.push(await pull(bench.blobUrl(repository, digest)));
    return answers;
  }

  test('a cached image is pulled as before', async () => {
    for (const { status, complete } of await pullImage()) expect([status, complete]).toEqual([200, true]);
  });

  test('and after a restart of the edge, which waits for nobody', async () => {
    await bench.edge.stop();
    await bench.edge.resume();
    for (const { status, complete } of await pullImage()) expect([status, complete]).toEqual([200, true]);
    expect((await pull(`${bench.edge.url}/readyz`)).status).toBe(200);
  });

  test('an edge whose upstreams never answered starts and refuses politely', async () => {
    await using folder = await TempFolder.create('nobody');
    await using edge = await Edge.start({
      folder: folder.path,
      config: {
        upstreams: [
          { name: 'docker.io', url: 'http://127.0.0.1:1' },
          { name: 'ghcr.io', url: 'http://[::1]:1' },
        ],
      },
    });
    expect((await pull(`${edge.url}/v2/`)).status).toBe(200);
    const answer = await pull(`${edge.url}/v2/library/app/manifests/latest`);
    expect([404, 503]).toContain(answer.status);
  });
});

test('a certificate that nobody vouches for is an outage: stale is served, nothing is fetched', async () => {
  await using folder = await TempFolder.create('tls');
  await using honest = new FakeRegistry();
  await honest.start();
  const cached = image({ layers: [layerBytes(30_000, 'tls')] });
  honest.addImage(repository, cached, 'latest');
  const config = (url: string): object => ({
    upstreams: [{ name: 'docker.io', url, ...upstreamSettings }],
    cache: { reserve: '1MiB' },
    log: { access: 'off' },
  });
  {
    await using edge = await Edge.start({ folder: folder.path, config: config(honest.origin) });
    await pull(`${edge.url}/v2/${repository}/manifests/latest`);
    for (const { digest } of cached.blobs) await pull(`${edge.url}/v2/${repository}/blobs/${digest}`);
  }
  await using impostor = new FakeRegistry({ tls: selfSigned() });
  await impostor.start();
  impostor.addImage(repository, image(), 'latest');
  await using edge = await Edge.start({ folder: folder.path, config: config(impostor.origin) });

  const answer = await pull(`${edge.url}/v2/${repository}/manifests/latest`);

  expect([answer.status, answer.bytes.equals(cached.manifest.bytes)]).toEqual([200, true]);
  expect(answer.headers['cache-status']).toMatch(/hit; ttl=-?\d+; detail=/);
  expect(impostor.requests).toEqual([]);
});

describe('a credential that is wrong', () => {
  const kinds = ['basic', 'bearer'] as const;

  test.for(kinds)('%s: at most three sign-ins for 1,000 requests', async (kind) => {
    await using bench = await FaultBench.start({
      label: 'credential',
      registry: { auth: { kind, users: { ferryman: 'right' } } },
      upstream: {
        access: 'open',
        credentials: [{ username: 'ferryman', password: 'wrong' }],
        allowPrivateTargets: true,
        tls: { insecure: true },
      },
    });
    bench.upstream.auth = {
      kind,
      users: { ferryman: 'right' },
      ...(kind === 'bearer' ? { privateRepositories: [repository] } : {}),
    };
    bench.upstream.addImage(repository, image(), 'latest');
    for (let round = 0; round < 100; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, async (_, at) =>
          pull(bench.manifestUrl(repository, `tag-${round}-${at % 2}`)),
        ),
      );
      for (const { status } of answers) expect([404, 503]).toContain(status);
    }
    const signIns = bench.upstream.requests.filter(
      ({ headers, path }) => headers.authorization?.startsWith('Basic') || path === '/token',
    );
    expect(signIns.length).toBeGreaterThan(0);
    expect(signIns.length).toBeLessThanOrEqual(3);
  });
});
