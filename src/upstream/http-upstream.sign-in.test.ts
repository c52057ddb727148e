import { afterEach, expect, test } from 'vitest';
import { parseReference } from '../oci/reference.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import type { FakeAuth } from '../../test/fakes/fake-auth.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../test/fakes/fake-registry.ts';
import { HeaderSink } from '../../test/fakes/header-sink.ts';
import { image } from '../../test/fakes/images.ts';
import { upstreamOptions } from '../../test/fakes/upstream-options.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { fixedCredential, type Credential } from './credential.ts';
import { createHttpUpstream, type HttpUpstream, type HttpUpstreamOptions } from './http-upstream.ts';

const repository = parseRepositoryName('team/app')!;
const other = parseRepositoryName('team/other')!;
const tag = parseReference('v1')!;
const signal = new AbortController().signal;
const me: Credential = { kind: 'password', username: 'me', password: 'pa:ss-hush' };
const users = { me: 'pa:ss-hush' };

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function setUp(
  auth: FakeAuth,
  changes: Partial<HttpUpstreamOptions> = {},
  registryOptions: FakeRegistryOptions = {},
): Promise<{ registry: FakeRegistry; upstream: HttpUpstream }> {
  const registry = new FakeRegistry({ ...registryOptions, auth });
  await registry.start();
  registry.addImage(repository, image(), 'v1');
  registry.addImage(other, image(), 'v1');
  const upstream = createHttpUpstream(upstreamOptions(registry.origin, changes));
  cleanUps.push(
    async () => registry.stop(),
    async () => upstream.close(),
  );
  return { registry, upstream };
}

function credentials(...list: Credential[]): Partial<HttpUpstreamOptions> {
  return { credentials: list.map((credential, at) => fixedCredential(`credential-${at}`, credential)) };
}

async function pull(upstream: HttpUpstream, from = repository): Promise<unknown> {
  return upstream.headManifest(from, tag, signal);
}

test.each<[string, FakeAuth, Partial<HttpUpstreamOptions>]>([
  ['anonymously', { kind: 'bearer' }, {}],
  ['with a password', { kind: 'bearer', users, privateRepositories: [repository] }, credentials(me)],
  [
    'where GET is not served',
    { kind: 'bearer', users, privateRepositories: [repository], postOnly: true },
    credentials(me),
  ],
  [
    'with an identity token',
    { kind: 'bearer', refreshTokens: ['refresh-hush'], privateRepositories: [repository] },
    credentials({ kind: 'identity-token', token: 'refresh-hush' }),
  ],
  ['with access_token alone', { kind: 'bearer', accessTokenOnly: true }, {}],
  ['with a scope of its own', { kind: 'bearer', scope: 'aws' }, {}],
  ['by HTTP Basic', { kind: 'basic', users }, credentials(me)],
])('signs in %s', async (_, auth, changes) => {
  const { upstream } = await setUp(auth, changes);
  await expect(pull(upstream)).resolves.toMatchObject({ digest: image().manifest.digest });
  expect(upstream.health()).toMatchObject({ away: false, breakerOpen: false });
});

test('shows nothing before it is asked, and one token from then on', async () => {
  const { registry, upstream } = await setUp({ kind: 'bearer', users }, credentials(me));
  await pull(upstream);
  await pull(upstream);
  const seen = registry.requests.map(({ path, headers }) => [path, headers.authorization?.split(' ')[0]]);
  const manifest = '/v2/team/app/manifests/v1';
  expect(seen).toEqual([
    [manifest, undefined],
    ['/token', 'Basic'],
    [manifest, 'Bearer'],
    [manifest, 'Bearer'],
  ]);
  const [, token] = registry.requests;
  expect(new URLSearchParams(token?.query).get('scope')).toBe('repository:team/app:pull');
  expect(new URLSearchParams(token?.query).get('service')).toBe('fake');
});

test('asks once for a token that many need', async () => {
  const { registry, upstream } = await setUp({ kind: 'bearer', users }, credentials(me));
  await Promise.all(Array.from({ length: 10 }, async () => pull(upstream)));
  expect(registry.tokens.issued).toBe(1);
});

test('renews a token before its end', async () => {
  const clock = new ManualClock();
  const { registry, upstream } = await setUp({ kind: 'bearer', lifetimeSeconds: 100 }, { clock });
  await pull(upstream);
  await clock.advance(89_000);
  await pull(upstream);
  expect(registry.tokens.issued).toBe(1);
  await clock.advance(1000);
  await pull(upstream);
  expect(registry.tokens.issued).toBe(2);
  expect(registry.requests.filter(({ status }) => status === 401).length).toBe(1);
});

test('gets a new token when the old one is not taken any more', async () => {
  const { registry, upstream } = await setUp({ kind: 'bearer' });
  await pull(upstream);
  registry.tokens.revokeAll();
  await pull(upstream);
  expect(registry.tokens.issued).toBe(2);
});

test('a token that was granted and is not taken is a verdict', async () => {
  const auth: FakeAuth = { kind: 'bearer', users, closedRepositories: [repository] };
  const { upstream } = await setUp(auth, credentials(me));
  await expect(pull(upstream)).rejects.toMatchObject({ kind: 'denied', status: 401 });
  await expect(pull(upstream, other)).resolves.toBeDefined();
  expect(upstream.health().away).toBe(false);
});

test.each<[string, FakeAuth]>([
  ['the token endpoint', { kind: 'bearer', users: { me: 'another' } }],
  ['HTTP Basic', { kind: 'basic', users: { me: 'another' } }],
])('a credential that %s rejects is tried three times, and no secret is told', async (_, auth) => {
  const { registry, upstream } = await setUp(auth, { ...credentials(me), clock: new ManualClock() });
  const errors: unknown[] = [];
  for (let count = 0; count < 10; count += 1)
    await pull(upstream).catch((error: unknown) => errors.push(error));
  expect(errors).toEqual(errors.map(() => expect.objectContaining({ kind: 'credential', isVerdict: false })));
  const logins = registry.requests.filter(
    ({ headers }) => headers.authorization?.startsWith('Basic') === true,
  );
  expect(logins.length).toBe(3);
  expect(JSON.stringify(errors.map((error) => String(error)))).not.toMatch(/hush|bWU6/);
  expect(upstream.health()).toMatchObject({ away: true, breakerOpen: true });
});

test('HTTP Basic without a credential is denied', async () => {
  const { upstream } = await setUp({ kind: 'basic', users });
  await expect(pull(upstream)).rejects.toMatchObject({ kind: 'denied', status: 401 });
});

test.each([
  ['a working credential', 'denied', 200],
  ['an expired one', 'credential', 403],
])('403 with %s is %s', async (_, kind, baseStatus) => {
  const { registry, upstream } = await setUp({ kind: 'basic', users }, credentials(me));
  await pull(upstream);
  registry.inject(({ path }) => path.includes('/manifests/'), { answer: { status: 403 } });
  registry.inject(({ path }) => path === '/v2/', { answer: { status: baseStatus } });
  await expect(pull(upstream)).rejects.toMatchObject({ kind });
});

test('what one credential was granted is not used for another', async () => {
  const auth: FakeAuth = { kind: 'bearer', users, privateRepositories: [repository] };
  const { registry, upstream } = await setUp(auth, credentials(me));
  await pull(upstream);
  const stranger = createHttpUpstream(upstreamOptions(registry.origin));
  cleanUps.push(async () => stranger.close());
  await expect(pull(stranger)).rejects.toMatchObject({ kind: 'denied' });
});

test('a changed secret is used from the next call on', async () => {
  let credential: Credential = { kind: 'password', username: 'me', password: 'old' };
  const source = { id: 'me', read: async () => credential };
  const auth: FakeAuth = { kind: 'bearer', users, privateRepositories: [repository] };
  const { upstream } = await setUp(auth, { credentials: [source], clock: new ManualClock() });
  for (let count = 0; count < 5; count += 1)
    await expect(pull(upstream)).rejects.toMatchObject({ kind: 'credential' });
  credential = me;
  await expect(pull(upstream)).resolves.toBeDefined();
});

test('a 429 and a rejection make room for the next credential', async () => {
  const auth: FakeAuth = { kind: 'bearer', users: { me: users.me, you: 'x' } };
  const you: Credential = { kind: 'password', username: 'you', password: 'x' };
  const wrong: Credential = { kind: 'password', username: 'he', password: 'y' };
  const { registry, upstream } = await setUp(auth, credentials(wrong, me, you));
  const isMine = ({ headers }: { headers: { authorization?: string | undefined } }): boolean =>
    headers.authorization?.endsWith('-me') === true;
  registry.inject(isMine, { answer: { status: 429, headers: { 'retry-after': '60' } } });
  for (let count = 0; count < 4; count += 1) {
    await expect(upstream.getManifest(repository, tag, signal)).resolves.toBeDefined();
  }
  expect(registry.requests.filter(isMine).length).toBe(1);
  registry.inject(({ path }) => path.includes('/manifests/'), {
    answer: { status: 429, headers: { 'retry-after': '30' } },
  });
  const call = upstream.getManifest(repository, tag, signal);
  await expect(call).rejects.toMatchObject({ kind: 'throttled', retryAfterMs: 30_000 });
});

test('prefers the credential with the larger budget', async () => {
  const auth: FakeAuth = { kind: 'bearer', users: { me: users.me, you: 'x' } };
  const you: Credential = { kind: 'password', username: 'you', password: 'x' };
  let remaining = 50;
  const { registry, upstream } = await setUp(auth, credentials(me, you), {
    manifestHeaders: () => ({
      'ratelimit-limit': '100;w=21600',
      'ratelimit-remaining': `${(remaining -= 1)};w=21600`,
    }),
  });
  for (let count = 0; count < 6; count += 1) await upstream.getManifest(repository, tag, signal);
  const used = registry.requests.filter(({ status, path }) => status === 200 && path.includes('/manifests/'));
  const byMe = used.filter(({ headers }) => headers.authorization?.endsWith('-me') === true).length;
  expect(byMe).toBe(3);
  expect([...upstream.rateLimits().keys()].sort()).toEqual(['credential-0', 'credential-1']);
});

test.each([
  ['with a credential', credentials(me), /trustedRealms/],
  ['anonymously', {}, undefined],
])('a realm at another authority, %s', async (_, changes, refused) => {
  await using sink = new HeaderSink();
  await sink.start();
  sink.answer = { status: 200, headers: {}, body: '{"token":"x"}' };
  const { upstream } = await setUp({ kind: 'bearer', users, realm: `${sink.origin}/token` }, changes);
  const error: unknown = await pull(upstream).catch((reason: unknown) => reason);
  if (refused === undefined) {
    expect(error).toMatchObject({ kind: 'denied' });
    expect(sink.requests.length).toBe(1);
  } else {
    expect(error).toMatchObject({ kind: 'malformed', message: expect.stringMatching(refused) });
    expect(error).toMatchObject({ message: expect.stringContaining(sink.origin) });
    expect(sink.requests.length).toBe(0);
  }
  expect(sink.everything).not.toMatch(/hush|authorization/);
});

test('a realm that the administrator trusts gets the credential', async () => {
  await using sink = new HeaderSink();
  await sink.start();
  sink.answer = { status: 200, headers: {}, body: '{"token":"x"}' };
  const auth: FakeAuth = { kind: 'bearer', users, realm: `${sink.origin}/token` };
  const { upstream } = await setUp(auth, { ...credentials(me), trustedRealms: [sink.origin] });
  await expect(pull(upstream)).rejects.toMatchObject({ kind: 'denied' });
  expect(sink.requests[0]?.headers.authorization).toMatch(/^Basic /);
});

test.each([
  ['no JSON', 200, 'token'],
  ['no token', 200, '{"token":""}'],
  ['a token that breaks the header', 200, JSON.stringify({ token: 'a\r\nx-evil: 1' })],
  ['a page', 200, '<html>'],
  ['not found', 404, ''],
])('a token endpoint that answers with %s is no verdict', async (_, status, body) => {
  const { registry, upstream } = await setUp({ kind: 'bearer' });
  registry.inject(({ path }) => path === '/token', { answer: { status, body } });
  await expect(pull(upstream)).rejects.toMatchObject({ kind: 'malformed' });
});

test('a token endpoint that is away or throttles is an outage', async () => {
  const { registry, upstream } = await setUp({ kind: 'bearer' });
  registry.inject(({ path }) => path === '/token', { answer: { status: 503 } });
  await expect(pull(upstream)).rejects.toMatchObject({ kind: 'unavailable' });
  registry.inject(({ path }) => path === '/token', {
    answer: { status: 429, headers: { 'retry-after': '5' } },
  });
  await expect(pull(upstream)).rejects.toMatchObject({ kind: 'throttled', retryAfterMs: 5000 });
});
