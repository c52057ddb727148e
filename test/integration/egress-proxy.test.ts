import { readFile } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import { FakeProxy } from '../fakes/fake-proxy.ts';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { image } from '../fakes/images.ts';
import { makeTempFolder } from '../fakes/temp-folder.ts';
import { waitUntil } from '../programs/wait-until.ts';
import { LocalEdge } from './local-edge.ts';

const one = image();
const manifest = '/v2/team/app/manifests/v1';

const cleanUps: AsyncDisposable[] = [];
afterEach(async () => {
  for (const opened of cleanUps.splice(0).toReversed()) await opened[Symbol.asyncDispose]();
});

async function start(
  signIn: string,
  egress: (proxy: FakeProxy) => object,
): Promise<{ registry: FakeRegistry; proxy: FakeProxy; edge: LocalEdge }> {
  const registry = new FakeRegistry();
  await registry.start();
  registry.addImage('team/app', one, 'v1');
  const proxy = new FakeProxy({ signIn });
  await proxy.start();
  // A name that only the proxy resolves: the edge has no other way to the upstream.
  const url = registry.origin.replace('127.0.0.1', 'registry.invalid');
  const edge = await LocalEdge.start({ upstreams: { 'registry.invalid': url }, config: egress(proxy) });
  cleanUps.push(registry, proxy, edge);
  return { registry, proxy, edge };
}

function signedInAs(username: string): (proxy: FakeProxy) => object {
  return (proxy) => ({ egress: { proxy: proxy.url.origin, signIn: { username, password: 'hush' } } });
}

test('an image comes through the egress proxy', async () => {
  const { registry, proxy, edge } = await start('edge:hush', signedInAs('edge'));
  expect((await edge.get(manifest)).body.equals(one.manifest.bytes)).toBe(true);
  for (const blob of one.blobs) {
    expect((await edge.get(`/v2/team/app/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true);
  }
  expect(proxy.requests.length).toBe(registry.requests.length);
});

test('a proxy that wants another sign-in is an outage, and the log says why', async () => {
  const log = await makeTempFolder();
  cleanUps.push({ [Symbol.asyncDispose]: async () => log.remove() });
  const file = `${log.path}/edge.log`;
  const { edge, proxy } = await start('edge:hush', (started) => ({
    ...signedInAs('somebody')(started),
    log: { level: 'warn', destination: file, access: 'off' },
  }));
  expect((await edge.get(manifest)).status).toBe(503);
  const text = await waitUntil(async () => (await readFile(file, 'utf8')) || undefined, {
    what: 'a line in the log',
    timeoutMs: 10_000,
  });
  expect(text).toContain(`the proxy ${proxy.url.origin} wants another sign-in (status 407)`);
  expect(text).not.toContain('hush');
});

test('what is exempt does not go through it', async () => {
  const { edge, proxy } = await start('edge:hush', (started) => ({
    egress: { proxy: started.url.origin, noProxy: ['.invalid'] },
  }));
  expect((await edge.get(manifest)).status).toBe(503);
  expect(proxy.requests).toEqual([]);
});
