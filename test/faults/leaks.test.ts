import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HeaderSink } from '../fakes/header-sink.ts';
import { content, image, layerBytes } from '../fakes/images.ts';
import { FaultBench, type FaultBenchOptions } from './fault-bench.ts';
import { pull, type PullOptions } from './pull.ts';
import { rawExchange } from './raw-exchange.ts';

const account = { username: 'ferryman', password: 'canary-7f3a' };
/** What a client of the edge may send along; none of it is for anybody else. */
const clientSecrets = { authorization: 'Bearer canary-client', cookie: 'session=canary-cookie' };
const repository = 'team/private';
const secret = image({ layers: [layerBytes(300_000, 'secret')] });

let sink: HeaderSink;
let bench: FaultBench;

beforeEach(async () => {
  // Another origin on the same machine.
  sink = new HeaderSink({ host: 'localhost' });
  await sink.start();
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
  await sink[Symbol.asyncDispose]();
});

async function start(options: Partial<FaultBenchOptions> = {}): Promise<void> {
  bench = await FaultBench.start({
    label: 'leaks',
    registry: { auth: { kind: 'basic', users: { [account.username]: account.password } } },
    ...options,
    upstream: {
      access: 'open',
      credentials: [account],
      tls: { insecure: true },
      breaker: { failures: 1_000_000 },
      ...options.upstream,
    },
  });
  bench.upstream.addImage(repository, secret, 'latest');
}

async function get(url: string, options: PullOptions = {}): ReturnType<typeof pull> {
  return pull(url, { ...options, headers: { ...clientSecrets, ...options.headers } });
}

function expectNoSecrets(): void {
  expect(sink.everything).not.toMatch(/canary|authorization|cookie/i);
  expect(sink.everything).not.toContain(
    Buffer.from(`${account.username}:${account.password}`).toString('base64'),
  );
}

describe('redirects', () => {
  const layer = secret.blobs[1]!;

  test('to another origin carry no credential, of the edge or of a client', async () => {
    await start({ upstream: { allowPrivateTargets: true } });
    sink.answer = { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: layer.bytes };
    bench.upstream.inject(({ path }) => path.includes('/blobs/'), { redirectTo: sink.origin });
    const answer = await get(bench.blobUrl(repository, layer.digest));
    expect([answer.status, answer.bytes.equals(layer.bytes)]).toEqual([200, true]);
    expect(sink.requests.length).toBeGreaterThan(0);
    expectNoSecrets();
    expect(JSON.stringify(bench.upstream.requests)).not.toMatch(/canary-client|canary-cookie/);
  });

  // Whether a private address may be followed depends on the upstream's own, which is private here: see src/upstream.
  test.for([
    'file:///etc/passwd?',
    'ftp://localhost',
    'gopher://localhost',
    'http://user:word@localhost',
    'http://[',
  ])('to %s are refused', async (target) => {
    await start();
    bench.upstream.inject(() => true, { redirectTo: target });
    for (const url of [bench.blobUrl(repository, layer.digest), bench.manifestUrl(repository, 'latest')]) {
      expect([404, 503]).toContain((await get(url)).status);
    }
  });

  test('in a circle end', async () => {
    await start({ upstream: { allowPrivateTargets: true } });
    bench.upstream.inject(() => true, { redirectTo: bench.upstream.origin });
    expect([404, 503]).toContain((await get(bench.manifestUrl(repository, 'latest'))).status);
    expect(bench.upstream.requests.length).toBeLessThanOrEqual(40);
  });
});

test.for([true, false])(
  'a realm on another origin sees no credential (allowPrivateTargets: %s)',
  async (allow) => {
    await start({ upstream: { allowPrivateTargets: allow } });
    sink.answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"token":"x"}' };
    bench.upstream.auth = {
      kind: 'bearer',
      users: { [account.username]: account.password },
      realm: `${sink.origin}/token`,
    };
    expect([404, 503]).toContain((await get(bench.manifestUrl(repository, 'latest'))).status);
    expectNoSecrets();
  },
);

test('layers that lie elsewhere are left to the client: the manifest is unchanged, their URLs are not fetched', async () => {
  await start({ upstream: { allowPrivateTargets: true } });
  const foreign = content(layerBytes(5_000, 'foreign'));
  sink.answer = { status: 200, headers: {}, body: foreign.bytes };
  const mediaType = secret.manifest.mediaType;
  const [config] = secret.blobs;
  const manifest = {
    ...content(
      JSON.stringify({
        schemaVersion: 2,
        mediaType,
        config: {
          mediaType: 'application/vnd.oci.image.config.v1+json',
          digest: config!.digest,
          size: config!.bytes.length,
        },
        layers: [
          {
            mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
            digest: foreign.digest,
            size: foreign.bytes.length,
            urls: [`${sink.origin}/layer`],
          },
        ],
      }),
    ),
    mediaType,
  };
  bench.upstream.addManifest(repository, manifest, 'foreign');
  const answer = await get(bench.manifestUrl(repository, 'foreign'));
  expect([answer.status, answer.bytes.equals(manifest.bytes)]).toEqual([200, true]);
  expect((await get(bench.blobUrl(repository, foreign.digest))).status).toBe(404);
  expect(sink.requests).toEqual([]);
});

describe('two upstreams that are one registry, one with a credential and one without', () => {
  const layer = secret.blobs[1]!;

  beforeEach(async () => {
    const users = { [account.username]: account.password };
    await start({
      registry: { auth: { kind: 'bearer', users, privateRepositories: [repository] } },
      config: (url) => {
        const tls = { insecure: true };
        const plain = { url, tls, allowPrivateTargets: true };
        return {
          upstreams: [
            { name: 'docker.io', ...plain },
            { name: 'mine.example', ...plain, access: 'open', credentials: [account] },
            { name: 'probed.example', ...plain, access: 'public', credentials: [account] },
          ],
        };
      },
    });
    bench.upstream.addImage('team/public', image(), 'latest');
  });

  function urls(prefix: string): string[] {
    return [
      bench.manifestUrl(`${prefix}${repository}`, 'latest'),
      bench.manifestUrl(`${prefix}${repository}`, secret.manifest.digest),
      bench.blobUrl(`${prefix}${repository}`, layer.digest),
      `${bench.edge.url}/v2/${prefix}${repository}/tags/list`,
    ];
  }

  test.for(['', 'docker.io/', 'probed.example/'])('%s never gives what is private', async (prefix) => {
    for (const url of urls(prefix)) expect([404, 503], url).toContain((await get(url)).status);
    for (const url of urls('mine.example/')) expect([url, (await get(url)).status]).toEqual([url, 200]);
    for (const url of urls(prefix)) {
      for (const method of ['GET', 'HEAD'] as const) {
        const answer = await get(url, { method });
        expect(answer.status, `${method} ${url}`).toBe(404);
        expect(answer.bytes.includes(secret.manifest.digest)).toBe(false);
      }
      expect((await get(url, { headers: { range: 'bytes=0-9' } })).status).toBe(404);
    }
    expect((await get(bench.manifestUrl(`${prefix}team/public`, 'latest'))).status).toBe(200);
  });

  test('what one repository holds is not given through another', async () => {
    for (const url of urls('mine.example/')) expect((await get(url)).status).toBe(200);
    for (const prefix of ['mine.example/', '']) {
      for (const url of [
        bench.blobUrl(`${prefix}team/public`, layer.digest),
        bench.manifestUrl(`${prefix}team/public`, secret.manifest.digest),
      ]) {
        expect([url, (await get(url)).status]).toEqual([url, 404]);
      }
    }
  });
});

describe('an edge is no open proxy', () => {
  beforeEach(async () => start());

  test('registries that it was not told about are 404, and nobody is asked', async () => {
    const host = sink.origin.replace('http://', '');
    for (const target of [
      `/v2/library/app/manifests/latest?ns=${host}`,
      '/v2/library/app/manifests/latest?ns=evil.example',
      `/v2/${host}/library/app/manifests/latest`,
      '/v2/evil.example/library/app/manifests/latest',
      `/v2/localhost:1/app/blobs/sha256:${'a'.repeat(64)}`,
      '/v2/app/manifests/latest?ns=http://evil.example',
      '/v2/app/manifests/latest?ns=',
    ]) {
      const answer = await get(`${bench.edge.url}${target}`);
      expect([target, answer.status]).toEqual([target, 404]);
      expect(answer.headers['www-authenticate']).toBeUndefined();
    }
    expect(sink.requests).toEqual([]);
    expect(bench.upstream.requests).toEqual([]);
  });

  test.for(['GET', 'CONNECT'])('%s to another host is not forwarded', async (method) => {
    const target = method === 'GET' ? `${sink.origin}/secret` : sink.origin.replace('http://', '');
    const request = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const answer = await rawExchange(bench.edge.port, Buffer.from(request));
    expect([400, 404, 405, undefined]).toContain(answer.status);
    expect(sink.requests).toEqual([]);
  });
});

test('no secret of an upstream stands in the log, on the health page or in an answer', async () => {
  await start({
    config: { log: { level: 'debug', access: 'stdout' } },
    upstream: { allowPrivateTargets: true },
  });
  const texts: string[] = [];
  for (const path of ['/healthz', '/readyz', '/metrics', '/v2/', `/v2/${repository}/manifests/none`]) {
    texts.push((await get(`${bench.edge.url}${path}`)).bytes.toString());
  }
  await get(bench.manifestUrl(repository, 'latest'));
  bench.upstream.auth = { kind: 'basic', users: {} };
  await get(bench.manifestUrl(repository, 'other'));
  texts.push(bench.edge.output);
  expect(texts.join('\n')).not.toMatch(/canary/);
});
