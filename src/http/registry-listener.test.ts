import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OverloadedError } from '../base/limiter.ts';
import { StorageFullError } from '../base/storage-error.ts';
import { OciError } from '../oci/error.ts';
import type { RegistryAnswer, RegistryRequest } from './registry-service.ts';
import { startTestServer, type TestServer } from './testing/start-test-server.ts';

const manifest = Buffer.from('{"schemaVersion":2,"note":"\u00fc"}');
const entityTag = '"sha256:0123"';

const answers: Record<string, (request: RegistryRequest) => RegistryAnswer | Promise<RegistryAnswer>> = {
  warm: () => ({
    status: 200,
    headers: { 'Content-Type': 'application/json', ETag: entityTag },
    body: { kind: 'bytes', bytes: manifest },
  }),
  large: () => ({ status: 200, headers: {}, body: { kind: 'bytes', bytes: Buffer.alloc(100_000, 0xfc) } }),
  empty: () => ({ status: 202, headers: { Location: '/v2/x' }, body: { kind: 'empty' } }),
  nothing: () => ({ status: 204, headers: {}, body: { kind: 'empty' } }),
  echo: ({ query, host, method }) => ({
    status: 200,
    headers: { 'X-Query': query.get('ns') ?? '', 'X-Host': host ?? '', 'X-Method': method },
    body: { kind: 'empty' },
  }),
  denied: () => {
    throw new OciError('DENIED', { detail: { name: 'x' } });
  },
  later: () => Promise.reject(new OciError('TOOMANYREQUESTS', { headers: { 'Retry-After': '7' } })),
  full: () => Promise.reject(new StorageFullError('no room')),
  busy: () => {
    throw new OverloadedError('queue');
  },
  broken: () => {
    throw new Error('secret: hunter2');
  },
  split: () => ({ status: 200, headers: { 'X-Bad': 'a\r\nb: c' }, body: { kind: 'empty' } }),
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    handle: (request) => {
      const { route } = request;
      if (route.kind === 'base') return { status: 200, headers: {}, body: { kind: 'empty' } };
      if (route.kind !== 'manifest') throw new OciError('UNSUPPORTED');
      return answers[route.reference]!(request);
    },
  });
});
afterAll(async () => server[Symbol.asyncDispose]());

/** Takes whatever it is asked, so that nothing but the listener can refuse. */
let strange: TestServer;
beforeAll(async () => {
  strange = await startTestServer({ handle: () => ({ status: 200, headers: {}, body: { kind: 'empty' } }) });
});
afterAll(async () => strange[Symbol.asyncDispose]());

async function get(reference: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.url}/v2/team/app/manifests/${reference}`, init);
}

describe('answers in memory', () => {
  test('carry the version, an exact length and the bytes', async () => {
    const response = await get('warm');
    expect(response.status).toBe(200);
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    expect(response.headers.get('content-length')).toBe(String(manifest.length));
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(Buffer.from(await response.arrayBuffer())).toEqual(manifest);
  });

  test('keep every byte when they are too large to go as text', async () => {
    const bytes = Buffer.from(await (await get('large')).arrayBuffer());
    expect(bytes.equals(Buffer.alloc(100_000, 0xfc))).toBe(true);
  });

  test('tell HEAD the length', async () => {
    const response = await get('warm', { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe(String(manifest.length));
    expect(await response.text()).toBe('');
  });

  test.each(['GET', 'HEAD'])('%s with the same entity tag is 304', async (method) => {
    const response = await get('warm', { method, headers: { 'If-None-Match': `"other", W/${entityTag}` } });
    expect(response.status).toBe(304);
    expect(response.headers.get('etag')).toBe(entityTag);
    expect(response.headers.get('content-length')).toBeNull();
  });

  test('another entity tag gets the content', async () => {
    expect((await get('warm', { headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
  });

  test.each([
    ['empty', 202, '0'],
    ['nothing', 204, null],
  ])('%s', async (reference, status, length) => {
    const response = await get(reference, { method: 'PUT' });
    expect([response.status, response.headers.get('content-length')]).toEqual([status, length]);
  });
});

test('the service sees method, query and host', async () => {
  const text = await server.exchange(
    'GET /v2/a/manifests/echo?x=1&ns=ghcr.io HTTP/1.1\r\nHost: Mirror.Example:5000\r\nConnection: close\r\n\r\n',
  );
  expect(text).toContain('X-Query: ghcr.io\r\nX-Host: mirror.example:5000\r\nX-Method: GET\r\n');
});

test('the absolute form is understood', async () => {
  const text = await server.exchange(
    'GET http://mirror/v2/?a=b HTTP/1.1\r\nHost: mirror\r\nConnection: close\r\n\r\n',
  );
  expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
});

describe('errors', () => {
  test.each([
    ['denied', 403, 'DENIED', null],
    ['later', 429, 'TOOMANYREQUESTS', '7'],
    ['full', 503, 'UNAVAILABLE', '5'],
    ['busy', 503, 'UNAVAILABLE', '5'],
    ['broken', 500, 'UNKNOWN', null],
    ['split', 500, 'UNKNOWN', null],
  ])('%s', async (reference, status, code, retryAfter) => {
    const response = await get(reference);
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    expect(response.headers.get('retry-after')).toBe(retryAfter);
    expect(JSON.parse(text)).toMatchObject({ errors: [{ code }] });
    expect(text).not.toContain('hunter2');
  });

  test('of ours are logged under the id that the client got', async () => {
    const body = (await (await get('broken')).json()) as { errors: [{ detail: { requestId: string } }] };
    expect(server.log.lines).toContainEqual({
      level: 'error',
      message: 'request failed',
      fields: {
        requestId: body.errors[0].detail.requestId,
        error: expect.objectContaining({ message: 'secret: hunter2' }),
      },
    });
  });

  test('have neither body nor length for HEAD', async () => {
    const response = await get('denied', { method: 'HEAD' });
    expect(response.status).toBe(403);
    expect(response.headers.get('content-length')).toBeNull();
    expect(await response.text()).toBe('');
  });
});

describe('shapes that are no endpoint', () => {
  test.each([
    ['/v2/nothing', 404],
    ['/v2/a/b/c', 404],
    ['/v2/a/tags/other', 404],
    ['/v2//a/manifests/warm', 400],
    ['/v2/a/../b/manifests/warm', 400],
    ['/v2/a/%2e%2e/manifests/warm', 400],
    ['/v2/a/%00/manifests/warm', 400],
    ['/v2/a/%zz/manifests/warm', 400],
    [String.raw`/v2/a\..\b/manifests/warm`, 400],
    [`/v2/${'a/'.repeat(5000)}manifests/warm`, 404],
    ['/v3/', 404],
    ['/v2x/', 404],
  ])('%s is %i', async (path, status) => {
    const text = await server.exchange(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(text.slice(9, 12)).toBe(String(status));
  });
});

test('no path, however strange, is a fault of ours', async () => {
  const byte = fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code));
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '/v2',
      '/manifests/',
      '/blobs/',
      '/uploads/',
      '/tags/list',
      '..',
      '%2f',
      '%',
      '?',
      '#',
    ),
    fc.string({ unit: byte, maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 8 }),
      fc.constantFrom('GET', 'HEAD', 'PUT'),
      async (path, method) => {
        const request = `${method} /v2/${path.join('')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
        expect(await strange.exchange(request)).toMatch(/^HTTP\/1.1 [24]/);
      },
    ),
    { numRuns: 200 },
  );
});

describe('methods that an endpoint lacks', () => {
  test.each([
    ['POST', '/v2/', 'GET, HEAD'],
    ['PATCH', '/v2/a/manifests/warm', 'GET, HEAD, PUT, DELETE'],
    ['PUT', '/v2/a/blobs/sha256:00', 'GET, HEAD, DELETE'],
    ['GET', '/v2/a/blobs/uploads/', 'POST'],
    ['OPTIONS', '/v2/a/tags/list', 'GET, HEAD'],
  ])('%s %s', async (method, path, allow) => {
    const response = await fetch(server.url + path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(await response.json()).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
  });
});
