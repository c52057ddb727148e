import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  CachedImageDetail,
  CachePage,
  PinnedImage,
  RefreshedImage,
  RemovedImages,
  UpstreamTest,
  WarmEvent,
} from '../../src/protocol/admin-api.ts';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { image, index, layerBytes, type FakeImage } from '../fakes/images.ts';
import { waitUntil } from '../programs/wait-until.ts';
import { LocalEdge } from './local-edge.ts';

let upstream: FakeRegistry;
let edge: LocalEdge;

beforeEach(async () => {
  upstream = new FakeRegistry();
  await upstream.start();
  edge = await LocalEdge.start({ upstreams: { 'docker.io': upstream.origin } });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await upstream.stop();
});

interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

async function call<Body>(method: string, path: string, body?: object): Promise<Answer<Body>> {
  const response = await fetch(`${edge.adminUrl}/api${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

async function images(query = ''): Promise<string[]> {
  const { body } = await call<CachePage>('GET', `/cache${query}`);
  return body.images.map(({ image }) => image);
}

async function pull(repository: string, tag: string, blobs: FakeImage): Promise<void> {
  await edge.get(`/v2/${repository}/manifests/${tag}`);
  for (const { digest } of blobs.blobs) {
    const path = `/v2/${repository}/blobs/${digest}`;
    await edge.get(path);
    // The last bytes go out a moment before the blob is stored.
    const isStored = async (): Promise<true | undefined> =>
      String((await edge.head(path)).headers['cache-status']).includes('; hit') || undefined;
    await waitUntil(isStored, { what: 'the blob to be stored', timeoutMs: 10_000 });
  }
}

async function warm(names: readonly string[], more: object = {}): Promise<WarmEvent[]> {
  const response = await fetch(`${edge.adminUrl}/api/cache/warm`, {
    method: 'POST',
    body: JSON.stringify({ images: names, ...more }),
  });
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = (await response.text()).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as WarmEvent);
}

describe('listing and showing', () => {
  test('what was pulled is listed, half an image as such', async () => {
    const [whole, half] = [image(), image({ architecture: 'riscv64' })];
    upstream.addImage('team/whole', whole, 'v1');
    upstream.addImage('team/half', half, 'v1');
    await pull('team/whole', 'v1', whole);
    await edge.get('/v2/team/half/manifests/v1');
    const { body } = await call<CachePage>('GET', '/cache');
    expect(body.images).toMatchObject([
      { image: 'docker.io/team/half:v1', complete: false, storedBytes: half.manifest.bytes.length },
      { image: 'docker.io/team/whole:v1', complete: true, digest: whole.manifest.digest },
    ]);
    const bytes = [whole.manifest, ...whole.blobs].reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(body.images[1]?.storedBytes).toBe(bytes);
    expect(body.next).toBeUndefined();
    expect(await images('?repository=team/half')).toEqual(['docker.io/team/half:v1']);
    expect(await images('?upstream=ghcr.io')).toEqual([]);
  });

  test('pages follow one another without a gap, manifests pulled by digest behind the tags', async () => {
    const pulled = image();
    for (const name of ['a/one', 'a/two']) {
      for (const tag of ['v1', 'v2']) {
        upstream.addImage(name, pulled, tag);
        await pull(name, tag, pulled);
      }
    }
    const byDigest = image({ architecture: 's390x' });
    upstream.addImage('a/one', byDigest);
    await pull('a/one', byDigest.manifest.digest, byDigest);
    const seen: string[] = [];
    let query = '?limit=2';
    for (let pages = 0; pages < 5; pages += 1) {
      const { body } = await call<CachePage>('GET', `/cache${query}`);
      seen.push(...body.images.map(({ image }) => image));
      if (body.next === undefined) break;
      query = `?limit=2&after=${encodeURIComponent(body.next)}`;
    }
    expect(seen).toEqual([
      'docker.io/a/one:v1',
      'docker.io/a/one:v2',
      `docker.io/a/one@${byDigest.manifest.digest}`,
      'docker.io/a/two:v1',
      'docker.io/a/two:v2',
    ]);
  });

  test('an index is shown platform by platform, with what is here', async () => {
    const both = index();
    upstream.addIndex('library/multi', both, 'latest');
    await edge.get('/v2/library/multi/manifests/latest');
    const [amd64] = both.images;
    await pull('library/multi', amd64!.manifest.digest, amd64!);
    const { body } = await call<CachedImageDetail>('GET', '/cache/multi');
    expect(body).toMatchObject({ image: 'docker.io/library/multi:latest', complete: true });
    expect(body.platforms).toMatchObject([
      { platform: 'linux/amd64', complete: true, blobs: [{ state: 'here' }, { state: 'here' }] },
      { platform: 'linux/arm64', complete: false, manifestHere: false, blobs: [] },
    ]);
  });

  test.each([
    ['an image that is not here', '/cache/nothing', 404, 'NOT_FOUND'],
    ['a registry that is no upstream', '/cache/quay.io/a/b:1', 404, 'NOT_FOUND'],
    ['what is no name', '/cache/UPPER_case/..%2f', 400, 'INVALID'],
    ['a limit beyond the limit', '/cache?limit=5000', 400, 'INVALID'],
    ['a cursor of another kind', '/cache?after=x', 400, 'INVALID'],
    ['a path that is not there', '/other', 404, 'NOT_FOUND'],
  ])('%s is refused', async (_, path, status, code) => {
    const answer = await call<{ error: { code: string; message: string } }>('GET', path);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });
});

describe('removing', () => {
  test('a tag goes with its blobs, save those that another tag needs', async () => {
    const shared = layerBytes(5_000, 'shared');
    const one = image({ layers: [shared, layerBytes(1_000, 'one')] });
    const two = image({ layers: [shared, layerBytes(1_000, 'two')] });
    upstream.addImage('team/app', one, 'one');
    upstream.addImage('team/app', two, 'two');
    await pull('team/app', 'one', one);
    await pull('team/app', 'two', two);
    const { body } = await call<RemovedImages>('DELETE', '/cache/team/app:one');
    const own = [one.manifest, one.blobs[0]!, one.blobs[2]!];
    expect(body).toEqual({
      tags: 1,
      manifests: 1,
      blobs: 3,
      freedBytes: own.reduce((sum, { bytes }) => sum + bytes.length, 0),
    });
    expect(await images()).toEqual(['docker.io/team/app:two']);
    expect((await call<CachedImageDetail>('GET', '/cache/team/app:two')).body.complete).toBe(true);
    const before = upstream.count('GET', /manifests/);
    expect((await edge.get('/v2/team/app/manifests/one')).status).toBe(200);
    expect(upstream.count('GET', /manifests/)).toBe(before + 1);
  });

  test('a repository goes whole, and its blobs stay for another that has them', async () => {
    const pulled = image();
    for (const name of ['team/app', 'team/copy']) {
      upstream.addImage(name, pulled, 'v1');
      await pull(name, 'v1', pulled);
    }
    const { body } = await call<RemovedImages>('DELETE', '/cache/team/app?all=true');
    expect(body).toEqual({ tags: 1, manifests: 1, blobs: 0, freedBytes: 0 });
    expect(await images()).toEqual(['docker.io/team/copy:v1']);
    expect((await call('DELETE', '/cache/team/app?all=true')).status).toBe(404);
    expect((await call('DELETE', '/cache/team/app:v1?all=true')).status).toBe(400);
  });
});

test('refresh asks the upstream now, and says what changed', async () => {
  const [before, after] = [image(), image({ architecture: 'ppc64le' })];
  upstream.addImage('team/app', before, 'v1');
  await pull('team/app', 'v1', before);
  upstream.addImage('team/app', after, 'v1');
  const { body } = await call<RefreshedImage>('POST', '/cache/team/app:v1/refresh');
  expect(body).toEqual({
    image: 'docker.io/team/app:v1',
    digest: after.manifest.digest,
    previousDigest: before.manifest.digest,
  });
  const answer = await edge.get('/v2/team/app/manifests/v1');
  expect(answer.headers['docker-content-digest']).toBe(after.manifest.digest);
  upstream.removeTag('team/app', 'v1');
  expect(await call('POST', '/cache/team/app:v1/refresh')).toMatchObject({
    status: 404,
    body: { error: { code: 'absent' } },
  });
});

test('a pin shows, lasts until its date, and goes with unpin', async () => {
  const pulled = image();
  upstream.addImage('team/app', pulled, 'v1');
  await pull('team/app', 'v1', pulled);
  const until = '2099-01-31T00:00:00.000Z';
  const refused = await call('POST', '/cache/team/app:v1/pin', { until });
  expect(refused).toMatchObject({
    status: 400,
    body: { error: { message: 'a pin lasts ten years at most' } },
  });
  const { body } = await call<PinnedImage>('POST', '/cache/team/app:v1/pin', { for: '30d' });
  expect(body).toMatchObject({ image: 'docker.io/team/app:v1', complete: true });
  const { body: shown } = await call<CachedImageDetail>('GET', '/cache/team/app:v1');
  expect(shown.pinnedUntil).toBe(body.pinnedUntil);
  expect((await call<PinnedImage>('POST', '/cache/team/app:v1/unpin')).body.pinnedUntil).toBeUndefined();
  for (const bad of [{}, { for: '1' }, { until: 'soon' }, { for: '1d', until }, { to: 1 }]) {
    expect((await call('POST', '/cache/team/app:v1/pin', bad)).status).toBe(400);
  }
});

test('a pinned image outlives images that were used later', async () => {
  await edge[Symbol.asyncDispose]();
  const config = { cache: { maxBytes: '400kB' } };
  edge = await LocalEdge.start({ upstreams: { 'docker.io': upstream.origin }, config });
  const names = Array.from({ length: 10 }, (_, at) => `team/app${at}:v1`);
  for (const [at, name] of names.entries()) {
    upstream.addImage(name.replace(':v1', ''), image({ layers: [layerBytes(50_000, name)] }), 'v1');
    expect((await warm([name])).at(-1)).toMatchObject({ done: 1 });
    if (at === 0) await call('POST', `/cache/${name}/pin`, { for: '1h' });
  }
  const isComplete = async (name: string): Promise<boolean> =>
    (await call<CachedImageDetail>('GET', `/cache/${name}`)).body.complete;
  const evicted = async (): Promise<true | undefined> => !(await isComplete('team/app1:v1')) || undefined;
  await waitUntil(evicted, { what: 'the image used longest ago to be evicted', timeoutMs: 10_000 });
  expect(await isComplete('team/app0:v1')).toBe(true);
});

describe('warming', () => {
  test('brings whole images, once, and reports each one', async () => {
    const both = index();
    upstream.addIndex('team/multi', both, 'v1');
    const events = await warm(['team/multi:v1', 'team/none:v1', 'team/multi:v1', 'quay.io/a/b']);
    expect(events.at(-1)).toMatchObject({ event: 'report', done: 1, failed: 2 });
    const blobs = both.images.flatMap(({ blobs }) => blobs);
    const fetchedBytes = blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(events).toContainEqual({
      event: 'done',
      image: 'team/multi:v1',
      digest: both.manifest.digest,
      blobs: blobs.length,
      fetchedBytes,
      presentBytes: 0,
    });
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'failed', image: 'team/none:v1', error: expect.anything() }),
    );
    upstream.requests.length = 0;
    const again = await warm(['team/multi:v1']);
    expect(again).toContainEqual(
      expect.objectContaining({ event: 'done', fetchedBytes: 0, presentBytes: fetchedBytes }),
    );
    expect(upstream.requests).toEqual([]);
  });

  test('of an index only the platforms asked for', async () => {
    const both = index();
    upstream.addIndex('team/multi', both, 'v1');
    const events = await warm(['team/multi:v1'], { platforms: ['linux/arm64'] });
    expect(events.at(-1)).toMatchObject({ done: 1 });
    const { body } = await call<CachedImageDetail>('GET', '/cache/team/multi:v1');
    expect(body.platforms.map(({ complete }) => complete)).toEqual([false, true]);
    const none = await warm(['team/multi:v1'], { platforms: ['linux/s390x'] });
    expect(none.at(-1)).toMatchObject({ done: 0, failed: 1 });
  });

  test('what is larger than the cache may hold is a failure that says so', async () => {
    await edge[Symbol.asyncDispose]();
    const config = { cache: { maxBytes: '10kB' } };
    edge = await LocalEdge.start({ upstreams: { 'docker.io': upstream.origin }, config });
    upstream.addImage('team/large', image({ layers: [layerBytes(50_000, 'large')] }), 'v1');
    const events = await warm(['team/large:v1']);
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'failed', error: expect.objectContaining({ code: 'NOT_KEPT' }) }),
    );
  });
});

test('a caller who leaves ends the warming: what has not begun is not fetched', async () => {
  for (const name of ['one', 'two', 'three', 'last']) upstream.addImage(`team/${name}`, image(), 'v1');
  const released = Promise.withResolvers<void>();
  upstream.inject(({ path }) => /one|two/.test(path), { headersAfter: released.promise });
  const gone = new AbortController();
  const names = ['team/one:v1', 'team/two:v1', 'team/three:v1'];
  const body = JSON.stringify({ images: names });
  const url = `${edge.adminUrl}/api/cache/warm`;
  const response = await fetch(url, { method: 'POST', body, signal: gone.signal });
  const first = await response.body!.getReader().read();
  expect(Buffer.from(first.value).toString()).toContain('"started"');
  gone.abort();
  await edge.accessLine(({ url }) => String(url).includes('warm'));
  released.resolve();
  expect((await warm(['team/last:v1'])).at(-1)).toMatchObject({ done: 1 });
  expect(upstream.count('GET', /three/)).toBe(0);
});

describe('upstreams', () => {
  test('are listed, and one that works passes its test', async () => {
    upstream.addImage('team/app', image(), 'v1');
    expect((await call('GET', '/upstreams')).body).toMatchObject({
      upstreams: [{ name: 'docker.io', url: upstream.origin, state: 'not asked yet', cachedBytes: 0 }],
    });
    const { body } = await call<UpstreamTest>('POST', '/upstreams/docker.io/test', { image: 'team/app:v1' });
    expect(body).toMatchObject({
      passed: true,
      steps: [
        { name: 'reach', outcome: 'passed' },
        { name: 'sign in and read', outcome: 'passed' },
        { name: 'pulls left', outcome: 'skipped' },
      ],
    });
  });

  test('one that is not there fails with the reason', async () => {
    await upstream.stop();
    const { body } = await call<UpstreamTest>('POST', '/upstreams/docker.io/test');
    expect(body.passed).toBe(false);
    expect(body.steps[0]).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
    expect(body.steps[1]).toMatchObject({ outcome: 'skipped' });
    expect((await call('POST', '/upstreams/other.io/test')).status).toBe(404);
  });
});

test.each([
  [{ level: 'silent' }, 200],
  [{ level: 'loud' }, 400],
  [{}, 400],
])('the log level %j is answered %i', async (body, status) => {
  expect((await call('PUT', '/log-level', body)).status).toBe(status);
});
