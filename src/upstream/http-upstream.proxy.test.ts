import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned, type Certificate } from '../../test/fakes/fake-listener.ts';
import { FakeProxy, type FakeProxyOptions } from '../../test/fakes/fake-proxy.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../test/fakes/fake-registry.ts';
import { HeaderSink } from '../../test/fakes/header-sink.ts';
import { content, image, layerBytes } from '../../test/fakes/images.ts';
import { upstreamOptions } from '../../test/fakes/upstream-options.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { parseReference } from '../oci/reference.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { fixedCredential } from './credential.ts';
import { basicSignIn, fixedRoute, generalRoute, type EgressProxy } from './egress-route.ts';
import { createHttpUpstream, type HttpUpstream, type HttpUpstreamOptions } from './http-upstream.ts';

const repository = parseRepositoryName('team/app')!;
const tag = parseReference('v1')!;
const blob = content(layerBytes(200_000, 'proxied'));
const signal = new AbortController().signal;
const me = [fixedCredential('me', { kind: 'password', username: 'me', password: 'hush' })];
const basicAuth = { kind: 'basic', users: { me: 'hush' } } as const;

let certificate: Certificate;
beforeAll(() => {
  certificate = selfSigned();
});

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function startRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const registry = new FakeRegistry(options);
  await registry.start();
  registry.addImage(repository, image(), 'v1');
  registry.addBlob(repository, blob);
  cleanUps.push(async () => registry.stop());
  return registry;
}

async function startProxy(options: FakeProxyOptions = {}): Promise<FakeProxy> {
  const proxy = new FakeProxy(options);
  await proxy.start();
  cleanUps.push(async () => proxy.stop());
  return proxy;
}

function connect(origin: string, changes: Partial<HttpUpstreamOptions>): HttpUpstream {
  const upstream = createHttpUpstream(upstreamOptions(origin, changes));
  cleanUps.push(async () => upstream.close());
  return upstream;
}

function through({ url }: FakeProxy, signIn?: readonly [string, string]): EgressProxy {
  return { url, authorization: signIn === undefined ? undefined : basicSignIn(...signIn) };
}

async function fetchBlob(upstream: HttpUpstream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const { chunks: body } = await upstream.getBlob(repository, blob.digest, { signal });
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The same place by a name that only the proxy can resolve. */
function unresolvable(origin: string): string {
  return origin.replace('127.0.0.1', 'registry.invalid');
}

describe('to an https upstream', () => {
  const setUp = async (
    proxyOptions: FakeProxyOptions = {},
    signIn?: readonly [string, string],
  ): Promise<{ registry: FakeRegistry; proxy: FakeProxy; upstream: HttpUpstream }> => {
    const registry = await startRegistry({ tls: certificate, auth: basicAuth });
    const proxy = await startProxy(proxyOptions);
    const tls = { ca: certificate.cert, insecure: false };
    const egress = fixedRoute(through(proxy, signIn));
    return { registry, proxy, upstream: connect(registry.origin, { credentials: me, tls, egress }) };
  };

  test('a tunnel hides the credential from the proxy, and the sign-in at the proxy from the upstream', async () => {
    const { registry, proxy, upstream } = await setUp({ signIn: 'edge:pröxy' }, ['edge', 'pröxy']);
    expect((await fetchBlob(upstream)).equals(blob.bytes)).toBe(true);
    const authority = new URL(registry.origin).host;
    expect(new Set(proxy.requests.map(({ method, target }) => `${method} ${target}`))).toEqual(
      new Set([`CONNECT ${authority}`]),
    );
    expect(proxy.requests.map(({ headers }) => headers.authorization)).not.toContain(expect.anything());
    const seen = Buffer.concat(proxy.tunnelled).toString('latin1');
    expect(seen).not.toMatch(/authorization|team\/app|bWU6aHVzaA/i);
    expect(registry.requests.at(-1)?.headers.authorization).toMatch(/^Basic bWU6aHVzaA/);
    expect(registry.requests.map(({ headers }) => headers['proxy-authorization'])).not.toContain(
      expect.anything(),
    );
  });

  test('a tunnel is used again', async () => {
    const { proxy, upstream } = await setUp();
    for (let round = 0; round < 5; round += 1) await upstream.getManifest(repository, tag, signal);
    expect(proxy.requests.length).toBeLessThanOrEqual(2);
  });

  test('the upstream has to show its own certificate behind the proxy', async () => {
    const registry = await startRegistry({ tls: certificate });
    const proxy = await startProxy();
    const upstream = connect(registry.origin, { egress: fixedRoute(through(proxy)) });
    await expect(upstream.headManifest(repository, tag, signal)).rejects.toMatchObject({
      kind: 'unavailable',
      message: /self-signed certificate/,
    });
    expect(registry.requests).toEqual([]);
  });

  test.each([
    ['a wrong sign-in', { signIn: 'edge:right' }, /wants another sign-in \(status 407\)/],
    ['a forbidden address', { refusal: 403 }, /does not allow this address \(status 403\)/],
    ['no way to the upstream', { refusal: 503 }, /could not reach the address \(status 503\)/],
    ['a redirect', { refusal: 302 }, /opened no tunnel: status 302/],
  ])('%s is an outage that says so', async (_, options, message) => {
    const { proxy, upstream } = await setUp(options, ['edge', 'wrong']);
    const error: unknown = await upstream
      .headManifest(repository, tag, signal)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'unavailable', message });
    expect(String(error)).toContain(proxy.url.origin);
    expect(String(error)).not.toContain('wrong');
  });

  test('a proxy that is away is an outage that names it', async () => {
    const { proxy, upstream } = await setUp();
    await proxy.stop();
    await expect(upstream.headManifest(repository, tag, signal)).rejects.toMatchObject({
      kind: 'unavailable',
      message: /the proxy http:\/\/127\.0\.0\.1:\d+ failed: .*ECONNREFUSED/,
    });
  });

  test('a proxy that does not answer is given up after the time to connect', async () => {
    const registry = await startRegistry({ tls: certificate });
    const proxy = await startProxy({ connectAfter: new Promise(() => undefined) });
    const clock = new ManualClock();
    const upstream = connect(registry.origin, { egress: fixedRoute(through(proxy)), clock });
    const outcome = expect(upstream.headManifest(repository, tag, signal)).rejects.toMatchObject({
      kind: 'unavailable',
      message: /did not answer in time/,
    });
    while (proxy.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(2000);
    await outcome;
  });
});

describe('to an http upstream', () => {
  test('the proxy gets whole URLs, resolves the name, and keeps its sign-in for itself', async () => {
    const registry = await startRegistry();
    const proxy = await startProxy({ signIn: 'edge:hush' });
    const origin = unresolvable(registry.origin);
    const egress = generalRoute({ http: through(proxy, ['edge', 'hush']), https: undefined, noProxy: [] });
    expect((await fetchBlob(connect(origin, { egress }))).equals(blob.bytes)).toBe(true);
    expect(proxy.requests.at(-1)).toMatchObject({
      method: 'GET',
      target: `${origin}/v2/${repository}/blobs/${blob.digest}`,
      headers: { host: new URL(origin).host },
    });
    expect(registry.requests.at(-1)?.headers['proxy-authorization']).toBeUndefined();
  });

  test('a wrong sign-in is an outage that says so', async () => {
    const registry = await startRegistry();
    const proxy = await startProxy({ signIn: 'edge:hush' });
    const upstream = connect(unresolvable(registry.origin), { egress: fixedRoute(through(proxy)) });
    await expect(upstream.headManifest(repository, tag, signal)).rejects.toMatchObject({
      kind: 'unavailable',
      message: /wants another sign-in \(status 407\)/,
    });
  });
});

describe('what an upstream sends this node to', () => {
  const isBlob = ({ path }: { path: string }): boolean => path.includes('/blobs/');

  test.each(['http://127.0.0.1:1', 'http://169.254.169.254', 'http://[::1]:1', 'http://localhost:1'])(
    'a redirect to %s is refused behind a proxy too',
    async (target) => {
      const registry = await startRegistry();
      const proxy = await startProxy();
      const upstream = connect(unresolvable(registry.origin), { egress: fixedRoute(through(proxy)) });
      registry.inject(isBlob, { redirectTo: target });
      await expect(fetchBlob(upstream)).rejects.toMatchObject({
        kind: 'malformed',
        message: /private address/,
      });
      expect(proxy.requests.length).toBe(1);
    },
  );

  test('a realm on a private address is refused behind a proxy too', async () => {
    const sink = new HeaderSink({ host: '127.0.0.1' });
    await sink.start();
    cleanUps.push(async () => sink.listener.stop());
    const realm = `${sink.origin}/token`;
    const registry = await startRegistry({
      auth: { kind: 'bearer', realm, privateRepositories: [repository] },
    });
    const proxy = await startProxy();
    const upstream = connect(unresolvable(registry.origin), { egress: fixedRoute(through(proxy)) });
    await expect(upstream.headManifest(repository, tag, signal)).rejects.toThrow(/private address/);
    expect(sink.requests).toEqual([]);
  });

  test('a name goes to the proxy unresolved', async () => {
    const store = new HeaderSink({ host: '127.0.0.1' });
    await store.start();
    cleanUps.push(async () => store.listener.stop());
    store.answer = { status: 200, headers: {}, body: blob.bytes };
    const registry = await startRegistry();
    const proxy = await startProxy();
    const upstream = connect(unresolvable(registry.origin), { egress: fixedRoute(through(proxy)) });
    registry.inject(isBlob, { redirectTo: store.origin.replace('127.0.0.1', 'store.invalid') });
    expect((await fetchBlob(upstream)).equals(blob.bytes)).toBe(true);
    expect(proxy.requests.at(-1)?.target).toMatch(/^http:\/\/store\.invalid:/);
  });
});
