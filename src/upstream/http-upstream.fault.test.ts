import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FakeFault } from '../../test/fakes/fake-body.ts';
import { FakeRegistry } from '../../test/fakes/fake-registry.ts';
import { content, image, index, layerBytes, referrer } from '../../test/fakes/images.ts';
import { upstreamOptions } from '../../test/fakes/upstream-options.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { referrersTag } from '../oci/referrers-tag.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { createHttpUpstream, type HttpUpstream } from './http-upstream.ts';
import { UpstreamError } from './upstream-error.ts';

const repository = parseRepositoryName('team/app')!;
const signal = new AbortController().signal;
const tag = parseReference('v1')!;
const app = image();
const blob = content(layerBytes(300_000, 'faults'));
const isBlob = ({ path }: { path: string }): boolean => path.includes('/blobs/');
const isManifest = ({ path }: { path: string }): boolean => path.includes('/manifests/');

let registry: FakeRegistry;
let upstream: HttpUpstream;
let clock: ManualClock;
beforeEach(async () => {
  clock = new ManualClock();
  registry = new FakeRegistry();
  await registry.start();
  registry.addImage(repository, app, 'v1');
  registry.addBlob(repository, blob);
  upstream = createHttpUpstream(
    upstreamOptions(registry.origin, { clock, timeouts: { connectMs: 1000, headersMs: 300, idleMs: 300 } }),
  );
});
afterEach(async () => {
  await upstream.close();
  await registry.stop();
});

function byDigest(text: string): Reference {
  return parseReference(text)!;
}

async function readBlob(span?: { start: number; end: number }): Promise<Buffer> {
  const stream = await upstream.getBlob(repository, blob.digest, {
    signal,
    ...(span === undefined ? {} : { span }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test.each<[string, FakeFault, string]>([
  ['a cut body', { cutAfter: 100_000 }, 'unavailable'],
  ['a body cut at its start', { cutAfter: 0 }, 'unavailable'],
  ['a cut body of untold length', { cutAfter: 100_000, chunked: true }, 'unavailable'],
  ['a stall', { stallAfter: 100_000 }, 'unavailable'],
  ['a reset', { reset: true }, 'unavailable'],
  ['no header', { headersAfter: new Promise(() => undefined) }, 'unavailable'],
  ['another encoding', { headers: { 'content-encoding': 'gzip' } }, 'malformed'],
  ['500', { answer: { status: 500 } }, 'unavailable'],
  ['503', { answer: { status: 503 } }, 'unavailable'],
  ['403', { answer: { status: 403 } }, 'denied'],
  ['404', { answer: { status: 404 } }, 'absent'],
  ['429', { answer: { status: 429 } }, 'throttled'],
  ['204', { answer: { status: 204 } }, 'malformed'],
  ['401 without challenge', { answer: { status: 401 } }, 'denied'],
  ['304', { answer: { status: 304 } }, 'malformed'],
])('a blob with %s fails', async (_, fault, kind) => {
  registry.inject(isBlob, fault);
  const error: unknown = await readBlob().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UpstreamError);
  expect(error).toMatchObject({ kind });
});

test.each<[string, FakeFault, string]>([
  ['the wrong range', { wrongRange: true }, 'malformed'],
  ['a range without a name', { headers: { 'content-range': undefined } }, 'malformed'],
  ['a nonsense range', { headers: { 'content-range': 'bytes 20-10/5' } }, 'malformed'],
  ['more than the range', { extraBytes: 5 }, 'malformed'],
  ['more than the range, length untold', { extraBytes: 5, chunked: true }, 'malformed'],
  ['less than the range', { truncateTo: 50 }, 'malformed'],
  ['less than the range, length untold', { truncateTo: 50, chunked: true }, 'unavailable'],
])('a range answered with %s fails', async (_, fault, kind) => {
  registry.inject(isBlob, fault);
  await expect(readBlob({ start: 1000, end: 2000 })).rejects.toMatchObject({ kind });
});

test('a blob of untold length is read whole', async () => {
  registry.inject(isBlob, { chunked: true });
  expect((await readBlob()).equals(blob.bytes)).toBe(true);
});

test.each<[string, FakeFault]>([
  ['one wrong byte', { wrongByteAt: 40 }],
  ['a truncated body', { truncateTo: 40 }],
  ['another digest announced', { headers: { 'docker-content-digest': `sha256:${'1'.repeat(64)}` } }],
  [
    'a web page',
    { answer: { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<html>' } },
  ],
  ['a web page without type', { answer: { status: 200, body: '<html>' } }],
  ['another encoding', { headers: { 'content-encoding': 'gzip' } }],
])('a manifest with %s is malformed', async (_, fault) => {
  registry.inject(isManifest, fault);
  for (const reference of [tag, byDigest(app.manifest.digest)]) {
    await expect(upstream.getManifest(repository, reference, signal)).rejects.toMatchObject({
      kind: 'malformed',
    });
  }
});

test.each([true, false])('a manifest of more than 4 MiB is not read (chunked: %s)', async (chunked) => {
  registry.inject(isManifest, { extraBytes: 64 * 1024 * 1024, chunked });
  await expect(upstream.getManifest(repository, tag, signal)).rejects.toMatchObject({ kind: 'malformed' });
  const [request] = registry.requests;
  expect(request?.bytesSent).toBeLessThan(16 * 1024 * 1024);
});

test('the type is given without parameters, and taken from the body where the header says nothing', async () => {
  const { mediaType, digest } = app.manifest;
  for (const type of [`${mediaType}; charset=utf-8`, undefined, 'application/json', 'text/plain']) {
    registry.clearFaults();
    registry.inject(isManifest, { headers: { 'content-type': type, 'docker-content-digest': undefined } });
    await expect(upstream.getManifest(repository, tag, signal)).resolves.toMatchObject({ mediaType, digest });
    await expect(upstream.headManifest(repository, tag, signal)).resolves.toMatchObject({ mediaType });
  }
});

test('error bodies are quoted on one line, and no more of them than that', async () => {
  const body = `{"errors":[{"message":"no\r\n\u001b[31msuch"}]}${'x'.repeat(1_000_000)}`;
  registry.inject(isManifest, { answer: { status: 500, body: body.slice(0, 60_000) } });
  const error: unknown = await upstream
    .getManifest(repository, tag, signal)
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ status: 500, message: /no \[31msuch/ });
  expect((error as Error).message.length).toBeLessThan(400);
  expect((error as Error).message).not.toMatch(/\p{Cc}/u);
});

test('a connection that was closed while idle is replaced without notice', async () => {
  await upstream.headManifest(repository, tag, signal);
  registry.inject(isManifest, { reset: true }, 1);
  await expect(upstream.headManifest(repository, tag, signal)).resolves.toBeDefined();
  expect(registry.count('HEAD', /manifests/)).toBe(3);
});

test('the breaker opens, turns calls away without asking, and closes after a probe', async () => {
  await registry.stop();
  for (let count = 0; count < 3; count += 1) {
    expect(upstream.health().breakerOpen).toBe(false);
    await expect(upstream.headBlob(repository, blob.digest, signal)).rejects.toMatchObject({
      kind: 'unavailable',
    });
    expect(upstream.health().away).toBe(true);
  }
  expect(upstream.health().breakerOpen).toBe(true);
  await registry.start();
  const before = registry.requests.length;
  await expect(upstream.headBlob(repository, blob.digest, signal)).rejects.toMatchObject({
    kind: 'unavailable',
  });
  expect(registry.requests.length).toBe(before);
  await clock.advance(1000);
  await expect(upstream.headBlob(repository, blob.digest, signal)).resolves.toEqual({ size: 300_000 });
  expect(upstream.health()).toMatchObject({ away: false, breakerOpen: false });
});

test('one body that breaks off opens nothing, as many in a row as failed calls do', async () => {
  registry.inject(isBlob, { cutAfter: 10 }, 2);
  for (let round = 0; round < 2; round += 1)
    await expect(readBlob()).rejects.toMatchObject({ kind: 'unavailable' });
  await readBlob();
  registry.inject(isBlob, { cutAfter: 10 }, 3);
  for (let round = 0; round < 3; round += 1)
    await expect(readBlob()).rejects.toMatchObject({ kind: 'unavailable' });
  expect(upstream.health().breakerOpen).toBe(true);
});

test('callers who give up open nothing and leave nothing behind', async () => {
  registry.inject(isManifest, { headersAfter: new Promise(() => undefined) });
  for (let round = 0; round < 10; round += 1) {
    const caller = new AbortController();
    const call = upstream.headManifest(repository, tag, caller.signal);
    caller.abort(new Error('gone'));
    await expect(call).rejects.toMatchObject({ cause: new Error('gone') });
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  }
  expect(upstream.health()).toMatchObject({ away: false, breakerOpen: false });
});

test('a slow reader slows the upstream down', async () => {
  const large = content(Buffer.alloc(64 * 1024 * 1024, 1));
  registry.addBlob(repository, large);
  const stream = await upstream.getBlob(repository, large.digest, { signal });
  const reader = stream.chunks[Symbol.asyncIterator]();
  await reader.next();
  // Waits until the sender has stopped: its count is the same in two looks that are a while apart.
  const sent = (): number => registry.requests.at(-1)?.bytesSent ?? 0;
  for (let last = -1; last !== sent();) {
    last = sent();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(sent()).toBeLessThan(large.bytes.length / 2);
  await reader.return?.();
});

test('tags are collected from all pages', async () => {
  const paged = new FakeRegistry({ tagsPerPage: 2 });
  await paged.start();
  for (const name of ['a', 'b', 'c', 'd', 'e']) paged.addImage(repository, app, name);
  const client = createHttpUpstream(
    upstreamOptions(paged.origin, { listing: { maxPages: 3, maxBytes: 10_000, referrersAbsentMs: 0 } }),
  );
  expect(await client.listTags(repository, signal)).toEqual(['a', 'b', 'c', 'd', 'e']);
  for (const name of ['f', 'g']) paged.addImage(repository, app, name);
  await expect(client.listTags(repository, signal)).rejects.toMatchObject({
    kind: 'malformed',
    message: /3 pages/,
  });
  await client.close();
  await paged.stop();
});

test.each([
  ['null for none', { tags: null }, {}, []],
  ['nothing', {}, {}, []],
])('a list of tags with %s is empty', async (_, body, headers, expected) => {
  registry.inject(({ path }) => path.endsWith('/tags/list'), {
    answer: { status: 200, headers, body: JSON.stringify(body) },
  });
  expect(await upstream.listTags(repository, signal)).toEqual(expected);
});

test.each([
  ['a circle', '{"tags":[]}', '</v2/team/app/tags/list>; rel="next"', /circle/],
  ['a next page elsewhere', '{"tags":[]}', '<https://evil.example/>; rel="next"', /another host/],
  ['no tags', '{"tags":[1]}', '', /no list of tags/],
  ['a page of the web site', '<html>', '', /no list of tags/],
  ['too many bytes', JSON.stringify({ tags: ['x'.repeat(2_000_000)] }), '', /more than 1048576 bytes/],
])('a list of tags with %s is malformed', async (_, body, link, why) => {
  registry.inject(({ path }) => path.endsWith('/tags/list'), {
    answer: { status: 200, headers: { link }, body },
  });
  await expect(upstream.listTags(repository, signal)).rejects.toMatchObject({
    kind: 'malformed',
    message: why,
  });
});

test.each<[string, FakeFault]>([
  ['404', { answer: { status: 404 } }],
  ['400', { answer: { status: 400 } }],
  ['406', { answer: { status: 406 } }],
  ['a redirect to its web site', { answer: { status: 303, headers: { location: 'https://example.com/' } } }],
  ['a web page', { answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' } }],
])('where the referrers API answers with %s, the fallback tag counts', async (_, fault) => {
  registry.inject(({ path }) => path.includes('/referrers/'), fault);
  const { digest } = app.manifest;
  expect(await upstream.listReferrers(repository, digest, signal)).toEqual({ manifests: [] });
  registry.addManifest(
    repository,
    referrer(app.manifest, 'application/vnd.example').manifest,
    referrersTag(digest),
  );
  expect(await upstream.listReferrers(repository, digest, signal)).toEqual({ manifests: [] });
  const fallback = index().manifest;
  registry.addManifest(repository, fallback, referrersTag(digest));
  const { manifests } = await upstream.listReferrers(repository, digest, signal);
  expect(manifests).toEqual(
    (JSON.parse(Buffer.from(fallback.bytes).toString()) as { manifests: unknown }).manifests,
  );
  expect(registry.count('GET', /referrers/)).toBe(1);
  await clock.advance(60_000);
  await upstream.listReferrers(repository, digest, signal);
  expect(registry.count('GET', /referrers/)).toBe(2);
});

test('an outage of the referrers API is not its absence', async () => {
  registry.inject(({ path }) => path.includes('/referrers/'), { answer: { status: 503 } });
  await expect(upstream.listReferrers(repository, app.manifest.digest, signal)).rejects.toMatchObject({
    kind: 'unavailable',
  });
});

test('asks as a registry client should', async () => {
  await upstream.getManifest(repository, tag, signal);
  const [request] = registry.requests;
  expect(request?.headers).toMatchObject({
    accept: expect.stringMatching(/^application\/vnd\.oci\.image\.index\.v1\+json, /),
    'accept-encoding': 'identity',
    'user-agent': 'wherry/test',
  });
  expect(request?.headers.authorization).toBeUndefined();
});
