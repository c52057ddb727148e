import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMultipart } from '../../src/http/testing/parse-multipart.ts';
import { FakeRegistry, type RecordedRequest } from '../fakes/fake-registry.ts';
import { content, layerBytes, type FakeContent } from '../fakes/images.ts';
import { LocalEdge, type Reply } from './local-edge.ts';

const name = 'team/app';
const small = content(layerBytes(5_000, 'small'));
const large = content(layerBytes(12_000_000, 'large'));
const isWhole = ({ method, headers, path }: RecordedRequest): boolean =>
  method === 'GET' && path.includes('/blobs/') && headers.range === undefined;

let registry: FakeRegistry;
let edge: LocalEdge;

beforeEach(async () => {
  registry = new FakeRegistry();
  await registry.start();
  for (const blob of [small, large]) registry.addBlob(name, blob);
  edge = await LocalEdge.start({ upstreams: { 'docker.io': registry.origin } });
});

afterEach(async () => {
  // First the upstream, so that no answer that it holds back has to be waited for.
  await registry.stop();
  await edge[Symbol.asyncDispose]();
});

function path({ digest }: FakeContent): string {
  return `/v2/${name}/blobs/${digest}`;
}

async function ranged(blob: FakeContent, range: string): Promise<Reply> {
  return edge.get(path(blob), { range });
}

/** The upstream's GETs of blobs, as the ranges that were asked for. */
function upstreamGets(): string[] {
  return registry.requests
    .filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
    .map(({ headers }) => headers.range ?? 'whole');
}

function expectSlice(reply: Reply, blob: FakeContent, start: number, end: number): void {
  expect(reply.status).toBe(206);
  expect(reply.headers['content-range']).toBe(`bytes ${start}-${end - 1}/${blob.bytes.length}`);
  expect(reply.headers['content-length']).toBe(String(end - start));
  expect(reply.body.equals(blob.bytes.subarray(start, end))).toBe(true);
}

const satisfiable: [string, number, number][] = [
  ['bytes=0-0', 0, 1],
  ['bytes=500-1499', 500, 1_500],
  ['bytes=500-', 500, 5_000],
  ['bytes=0-', 0, 5_000],
  ['bytes=-500', 4_500, 5_000],
  ['bytes=-9999', 0, 5_000],
  ['bytes=2000-9999', 2_000, 5_000],
  ['bytes=4999-', 4_999, 5_000],
];
const unsatisfiable = ['bytes=5000-', 'bytes=5000-10000', 'bytes=500-0', 'bytes=-0'];

describe.each(['absent', 'cached'])('of a blob that is %s', (state) => {
  beforeEach(async () => {
    if (state === 'cached') await edge.get(path(small));
  });

  it.each(satisfiable)('%s is exactly those bytes', async (range, start, end) => {
    expectSlice(await ranged(small, range), small, start, end);
  });

  it.each(unsatisfiable)('%s is 416 with the length', async (range) => {
    const reply = await ranged(small, range);
    expect([reply.status, reply.headers['content-range']]).toEqual([416, 'bytes */5000']);
    expect(JSON.parse(reply.body.toString())).toMatchObject({ errors: [{ code: 'RANGE_INVALID' }] });
  });

  it.each(['bytes', 'bytes=', 'bytes=a-b', 'lines=0-5'])('%s counts as none', async (range) => {
    const reply = await ranged(small, range);
    expect([reply.status, reply.body.length]).toEqual([200, 5_000]);
  });

  it('several come as multipart, each with its own place', async () => {
    const reply = await ranged(small, 'bytes=10-19,4000-4099,-5');
    expect(reply.status).toBe(206);
    const parts = parseMultipart(reply.headers['content-type'] ?? '', reply.body.toString('latin1'));
    const slice = (start: number, end: number): string =>
      Buffer.from(small.bytes.subarray(start, end)).toString('latin1');
    expect(parts).toEqual([
      { range: 'bytes 10-19/5000', bytes: slice(10, 20) },
      { range: 'bytes 4000-4099/5000', bytes: slice(4_000, 4_100) },
      { range: 'bytes 4995-4999/5000', bytes: slice(4_995, 5_000) },
    ]);
  });

  it('more than 64 are refused', async () => {
    const ranges = Array.from({ length: 65 }, (_, at) => `${at * 10}-${at * 10}`);
    expect((await ranged(small, `bytes=${ranges.join()}`)).status).toBe(400);
  });

  it('If-Range with another entity tag gives all of it', async () => {
    const range = 'bytes=0-9';
    const reply = await edge.get(path(small), { range, 'if-range': '"other"' });
    expect([reply.status, reply.body.length]).toEqual([200, 5_000]);
    const same = await edge.get(path(small), { range, 'if-range': `"${small.digest}"` });
    expect(same.status).toBe(206);
  });
});

it('of an absent blob they cost the upstream those bytes', async () => {
  expectSlice(await ranged(small, 'bytes=100-199'), small, 100, 200);
  expect(upstreamGets()).toEqual(['bytes=100-199']);
});

it('of a cached blob they cost the upstream nothing', async () => {
  await edge.get(path(small));
  const before = registry.requests.length;
  expectSlice(await ranged(small, 'bytes=100-199'), small, 100, 200);
  expect(registry.requests.length).toBe(before);
});

it('an upstream that knows no ranges becomes the fill, and the client still gets its bytes', async () => {
  registry.inject(({ method }) => method === 'GET', { ignoreRange: true });
  expectSlice(await ranged(small, 'bytes=100-199'), small, 100, 200);
});

it('an upstream that sends another range than was asked for is not believed', async () => {
  registry.inject(({ headers }) => headers.range !== undefined, { wrongRange: true });
  const reply = await ranged(small, 'bytes=100-199').catch(() => undefined);
  if (reply?.status === 206) expectSlice(reply, small, 100, 200);
  else expect(reply?.status ?? 503).toBe(503);
});

describe('while a blob is being filled', () => {
  /** A fill that got a megabyte and gets no more. */
  async function startStalledFill(): Promise<() => void> {
    registry.inject(isWhole, { stallAfter: 1_000_000 });
    const response = await edge.open('GET', path(large));
    await once(response, 'readable');
    return () => response.destroy();
  }

  it('what has arrived is served from it', async () => {
    const leave = await startStalledFill();
    expectSlice(await ranged(large, 'bytes=1000-50000'), large, 1_000, 50_001);
    expect(upstreamGets()).toEqual(['whole']);
    leave();
  });

  it('what is far ahead is fetched by itself', async () => {
    const leave = await startStalledFill();
    expectSlice(await ranged(large, 'bytes=11000000-11000999'), large, 11_000_000, 11_001_000);
    expect(upstreamGets()).toEqual(['whole', 'bytes=11000000-11000999']);
    leave();
  });

  it('open-ended ones that are closed early start no stream of their own', async () => {
    const leave = await startStalledFill();
    for (let at = 0; at < 30; at += 1) {
      const response = await edge.open('GET', path(large), { range: `bytes=${at * 1_000}-` });
      expect(response.statusCode).toBe(206);
      await once(response, 'readable');
      response.destroy();
    }
    expect(upstreamGets()).toEqual(['whole']);
    leave();
  });
});

it('many open-ended requests together are one upstream stream', async () => {
  await edge.head(path(large));
  const starts = Array.from({ length: 12 }, (_, at) => at * 1_000_000);
  const replies = await Promise.all(starts.map(async (start) => ranged(large, `bytes=${start}-`)));
  replies.forEach((reply, at) => expectSlice(reply, large, starts[at]!, large.bytes.length));
  expect(upstreamGets()).toEqual(['whole']);
});
