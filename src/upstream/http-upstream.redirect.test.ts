import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { selfSigned, type Certificate } from '../../test/fakes/fake-listener.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../test/fakes/fake-registry.ts';
import { HeaderSink } from '../../test/fakes/header-sink.ts';
import { content, image, layerBytes } from '../../test/fakes/images.ts';
import { upstreamOptions } from '../../test/fakes/upstream-options.ts';
import { parseReference } from '../oci/reference.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { fixedCredential } from './credential.ts';
import { createHttpUpstream, type HttpUpstream, type HttpUpstreamOptions } from './http-upstream.ts';

const repository = parseRepositoryName('team/app')!;
const blob = content(layerBytes(5000, 'redirect'));
const signal = new AbortController().signal;
const isBlob = ({ path }: { path: string }): boolean => path.includes('/blobs/');

let certificate: Certificate;
beforeAll(() => {
  certificate = selfSigned();
});

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});
afterAll(() => expect(cleanUps).toEqual([]));

async function setUp(
  changes: Partial<HttpUpstreamOptions> = {},
  options: FakeRegistryOptions = {},
): Promise<{ registry: FakeRegistry; upstream: HttpUpstream }> {
  const registry = new FakeRegistry({ auth: { kind: 'basic', users: { me: 'hush' } }, ...options });
  await registry.start();
  registry.addBlob(repository, blob);
  const credentials = [fixedCredential('me', { kind: 'password', username: 'me', password: 'hush' })];
  const upstream = createHttpUpstream(upstreamOptions(registry.origin, { credentials, ...changes }));
  cleanUps.push(
    async () => registry.stop(),
    async () => upstream.close(),
  );
  return { registry, upstream };
}

async function startSink(host = '127.0.0.1', tls?: Certificate): Promise<HeaderSink> {
  const sink = new HeaderSink({ host, ...(tls === undefined ? {} : { tls }) });
  await sink.start();
  sink.answer = { status: 200, headers: {}, body: blob.bytes };
  cleanUps.push(async () => sink.listener.stop());
  return sink;
}

async function fetchBlob(upstream: HttpUpstream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const { chunks: body } = await upstream.getBlob(repository, blob.digest, { signal });
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('the same host and port keeps the credential', async () => {
  const { registry, upstream } = await setUp();
  const moved = `${registry.origin}/v2/${repository}/blobs/${blob.digest}?moved`;
  registry.inject((request) => isBlob(request) && request.query === '', {
    answer: { status: 302, headers: { location: moved } },
  });
  expect((await fetchBlob(upstream)).equals(blob.bytes)).toBe(true);
  expect(registry.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
});

test.each([
  ['another port', '127.0.0.1'],
  ['another host', 'localhost'],
])('%s sees no credential and no cookie', async (_, host) => {
  const sink = await startSink(host);
  const { registry, upstream } = await setUp();
  registry.inject(isBlob, { redirectTo: sink.origin, headers: { 'set-cookie': 'session=hush' } });
  for (let round = 0; round < 2; round += 1) {
    expect((await fetchBlob(upstream)).equals(blob.bytes)).toBe(true);
  }
  expect(sink.requests.length).toBe(2);
  expect(sink.everything).not.toMatch(/authorization|cookie|hush|bWU6/i);
});

test('another port sees no client certificate, and the upstream does', async () => {
  const sink = await startSink('127.0.0.1', certificate);
  const { cert, key } = certificate;
  const tls = { ca: cert, cert, key, insecure: false };
  const { registry, upstream } = await setUp({ tls }, { tls: certificate });
  registry.inject(isBlob, { redirectTo: sink.origin });
  expect((await fetchBlob(upstream)).equals(blob.bytes)).toBe(true);
  expect(sink.requests.map(({ clientCertificate }) => clientCertificate)).toEqual([false]);

  const own = createHttpUpstream(upstreamOptions(sink.origin, { tls }));
  cleanUps.push(async () => own.close());
  await fetchBlob(own);
  expect(sink.requests.at(-1)?.clientCertificate).toBe(true);
});

test('from https to http is refused', async () => {
  const sink = await startSink();
  const { registry, upstream } = await setUp(
    { tls: { ca: certificate.cert, insecure: false } },
    { tls: certificate },
  );
  registry.inject(isBlob, { redirectTo: sink.origin });
  await expect(fetchBlob(upstream)).rejects.toMatchObject({ kind: 'malformed', message: /https to http/ });
  expect(sink.requests).toEqual([]);
});

test('an unknown authority is not accepted, unless certificates are not checked', async () => {
  const { registry, upstream } = await setUp({}, { tls: certificate });
  await expect(fetchBlob(upstream)).rejects.toMatchObject({ kind: 'unavailable' });
  const lax = createHttpUpstream(upstreamOptions(registry.origin, { tls: { insecure: true } }));
  cleanUps.push(async () => lax.close());
  await expect(fetchBlob(lax)).rejects.toMatchObject({ kind: 'denied' });
});

test('a circle of redirects ends', async () => {
  const { registry, upstream } = await setUp();
  registry.inject(isBlob, { redirectTo: registry.origin });
  await expect(fetchBlob(upstream)).rejects.toMatchObject({
    kind: 'malformed',
    message: /more than 5 redirects/,
  });
});

test('an object store that refuses a presigned URL is no verdict, and its query is not told', async () => {
  const sink = await startSink();
  sink.answer = { status: 403, headers: {}, body: '<Error>Request has expired</Error>' };
  const { registry, upstream } = await setUp();
  const location = `${sink.origin}/bucket/x?X-Amz-Signature=hush`;
  registry.inject(isBlob, { answer: { status: 307, headers: { location } } });
  const error: unknown = await fetchBlob(upstream).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ kind: 'unavailable', status: 403, message: /expired/ });
  expect(String(error)).not.toContain('hush');
});

test.each([
  ['a range', { status: 206, headers: { 'content-range': 'bytes 0-0/5000' }, body: 'x' }],
  ['the whole', { status: 200, headers: {}, body: blob.bytes }],
])('the size of a blob at an object store is learned from a GET, answered with %s', async (_, answer) => {
  const sink = await startSink();
  sink.answer = answer;
  const { registry, upstream } = await setUp();
  registry.inject(isBlob, { redirectTo: sink.origin });
  await expect(upstream.headBlob(repository, blob.digest, signal)).resolves.toEqual({ size: 5000 });
  expect(sink.requests.map(({ method, headers }) => [method, headers.range])).toEqual([['GET', 'bytes=0-0']]);
});

test('manifests are followed to another host', async () => {
  const { manifest } = image();
  const sink = await startSink('localhost');
  sink.answer = { status: 200, headers: { 'content-type': manifest.mediaType }, body: manifest.bytes };
  const { registry, upstream } = await setUp();
  registry.inject(({ path }) => path.includes('/manifests/'), { redirectTo: sink.origin });
  const fetched = await upstream.getManifest(repository, parseReference('v1')!, signal);
  expect(fetched.digest).toBe(manifest.digest);
  expect(sink.everything).not.toMatch(/authorization/i);
});
