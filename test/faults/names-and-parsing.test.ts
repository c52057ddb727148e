import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { content, image, layerBytes } from '../fakes/images.ts';
import { FaultBench } from './fault-bench.ts';
import { malformedFlood } from './malformed-flood.ts';
import { pull } from './pull.ts';
import { impatient, rawExchange, statusLines } from './raw-exchange.ts';

const refusedPaths: readonly (readonly [string, string, readonly number[]])[] = [
  ['dot segments', '/v2/../../etc/passwd/manifests/x', [400, 404]],
  ['encoded dot segments', '/v2/%2e%2e/%2e%2e/etc/manifests/x', [400, 404]],
  ['dots with an encoded slash', '/v2/%2e%2e%2f%2e%2e%2fetc/manifests/x', [400, 404]],
  ['dots with an encoded backslash', '/v2/..%5c..%5cetc/manifests/x', [400, 404]],
  ['a NUL', '/v2/app%00/manifests/latest', [400, 404]],
  ['an empty segment', '/v2//app/manifests/latest', [400, 404]],
  ['overlong UTF-8 dots', '/v2/%c0%ae%c0%ae/app/manifests/x', [400, 404]],
  ['unicode dots', '/v2/%e2%80%a4%e2%80%a4/app/manifests/x', [400, 404]],
  ['encoded twice', '/v2/%252e%252e/app/manifests/x', [400, 404]],
  ['a traversal in the digest', '/v2/app/blobs/sha256:../../x', [400, 404]],
  ['an encoded traversal in the digest', '/v2/app/blobs/sha256:..%2f..%2fx', [400, 404]],
  ['a traversal in the tag', '/v2/app/manifests/..%2f..%2fx', [400, 404]],
  ['upper-case hex', `/v2/app/blobs/sha256:${'A'.repeat(64)}`, [400]],
  ['63 digits', `/v2/app/blobs/sha256:${'a'.repeat(63)}`, [400]],
  ['65 digits', `/v2/app/blobs/sha256:${'a'.repeat(65)}`, [400]],
  ['md5', '/v2/app/blobs/md5:d41d8cd98f00b204e9800998ecf8427e', [400]],
  ['sha384', `/v2/app/blobs/sha384:${'a'.repeat(96)}`, [400]],
  ['a tag for a blob', '/v2/app/blobs/latest', [400]],
  ['a bad digest for a manifest', '/v2/app/manifests/sha256:zz', [400]],
  ['a name of 256 characters', `/v2/${'n'.repeat(256)}/manifests/latest`, [400]],
  ['a tag of 129 characters', `/v2/app/manifests/${'t'.repeat(129)}`, [400, 404]],
  ['a name of 15,000 characters', `/v2/${'n/'.repeat(7_500)}app/manifests/latest`, [400, 404]],
  ['a name of 32,000 characters', `/v2/${'a-'.repeat(16_000)}/manifests/latest`, [400, 404, 431]],
  ['a name in upper case', '/v2/App/manifests/latest', [400]],
];

/** Of a blob of 1,000 bytes. */
const ranges: readonly (readonly [string, number, string | undefined])[] = [
  ['bytes=1000-', 416, 'bytes */1000'],
  ['bytes=5-1', 416, 'bytes */1000'],
  ['bytes=-0', 416, 'bytes */1000'],
  ['bytes=0-999999999999999999999', 206, 'bytes 0-999/1000'],
  ['bytes=999-', 206, 'bytes 999-999/1000'],
  ['bytes=-2000', 206, 'bytes 0-999/1000'],
  ['bytes=0-0', 206, 'bytes 0-0/1000'],
  ['lines=0-1', 200, undefined],
  ['bytes=a-b', 200, undefined],
];

const rawRequests: readonly (readonly [string, string, readonly (number | undefined)[]])[] = [
  ['Content-Length and chunked', post('Content-Length: 3\r\nTransfer-Encoding: chunked', '0\r\n\r\n'), [400]],
  ['two lengths', post('Content-Length: 3\r\nContent-Length: 4', 'abcd'), [400]],
  ['a negative length', post('Content-Length: -1', ''), [400]],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked', '0\r\n\r\n'), [400]],
  ['chunked, then not', post('Transfer-Encoding: chunked, identity', '0\r\n\r\n'), [400]],
  ['a folded field', 'GET /v2/ HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n', [200, 400]],
  ['bare line feeds', 'GET /v2/ HTTP/1.1\nHost: x\n\n', [400]],
  ['a space before the colon', 'GET /v2/ HTTP/1.1\r\nHost : x\r\n\r\n', [400]],
  ['no Host', 'GET /v2/ HTTP/1.1\r\n\r\n', [400]],
  ['64 KB of header', `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(65_536)}\r\n\r\n`, [431]],
  ['3,000 headers', `GET /v2/ HTTP/1.1\r\nHost: x\r\n${'X: 1\r\n'.repeat(3_000)}\r\n`, [431]],
  ['half a head', 'GET /v2/ HTTP/1.1\r\nHos', [400, 408, undefined]],
  ['nothing', '', [400, 408, undefined]],
  ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', [400]],
  ['the asterisk form', 'GET * HTTP/1.1\r\nHost: x\r\n\r\n', [400]],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505, undefined]],
  ['another host in the target', 'GET http://evil.example/v2/ HTTP/1.1\r\nHost: x\r\n\r\n', [200, 400, 404]],
  [
    'CONNECT',
    'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
    [400, 404, 405, undefined],
  ],
];

function post(fields: string, body: string): string {
  return `POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n${body}`;
}

describe('names, ranges and requests that nobody should send', () => {
  let bench: FaultBench;
  const blob = content(layerBytes(1_000, 'ranges'));

  beforeAll(async () => {
    bench = await FaultBench.start({
      label: 'parsing',
      config: { limits: impatient },
    });
    bench.upstream.addBlob('library/app', blob);
    bench.upstream.addImage('library/app', image(), 'latest');
  });

  afterAll(async () => bench[Symbol.asyncDispose]());

  async function get(target: string, field = ''): Promise<{ status: number | undefined; text: string }> {
    const head = `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${field}\r\n`;
    return rawExchange(bench.edge.port, Buffer.from(head));
  }

  test.for(refusedPaths)('%s is refused without asking the upstream', async ([, target, statuses]) => {
    const asked = bench.upstream.requests.length;
    const { status, text } = await get(target);
    expect(statuses, text).toContain(status);
    expect(bench.upstream.requests.slice(asked)).toEqual([]);
  });

  test.for(['n=-1', 'n=abc', 'n=1.5', 'n='])('a page of tags with %s is refused', async (query) => {
    expect((await get(`/v2/library/app/tags/list?${query}`)).status).toBe(400);
  });

  test.for(['n=1000000000', 'n=10000', 'n=1'])('a page of tags with %s is given', async (query) => {
    const { status, text } = await get(`/v2/library/app/tags/list?${query}`);
    expect(status).toBe(200);
    expect(text).toContain('"latest"');
  });

  test.for([
    ['uncached', content(layerBytes(1_000, 'uncached'))],
    ['cached', blob],
  ] as const)('ranges of a blob that is %s', async ([kind, wanted]) => {
    bench.upstream.addBlob('library/app', wanted);
    const url = bench.blobUrl('library/app', wanted.digest);
    if (kind === 'cached') await pull(url);
    for (const [range, status, contentRange] of ranges) {
      const answer = await pull(url, { headers: { range } });
      expect([range, answer.status, answer.headers['content-range']]).toEqual([range, status, contentRange]);
      expect(answer.complete, range).toBe(true);
      expect(Number(answer.headers['content-length']), range).toBeGreaterThanOrEqual(0);
    }
    const several = await pull(url, { headers: { range: 'bytes=0-0,5-9' } });
    expect([several.status, several.headers['content-type']]).toEqual([
      206,
      expect.stringContaining('multipart/byteranges'),
    ]);
    expect(several.bytes.length).toBe(Number(several.headers['content-length']));
    const many = Array.from({ length: 65 }, (_, at) => `${at * 3}-${at * 3}`).join();
    expect((await pull(url, { headers: { range: `bytes=${many}` } })).status).toBe(400);
  });

  test.for(rawRequests)('%s', async ([, request, statuses]) => {
    const answer = await rawExchange(bench.edge.port, Buffer.from(request, 'latin1'));
    expect(answer.hung).toBe(false);
    expect(statuses, answer.text).toContain(answer.status);
    expect((await pull(`${bench.edge.url}/v2/`)).status).toBe(200);
  });

  test('a request hidden in the body of another is not answered', async () => {
    const hidden = 'GET /v2/library/app/manifests/latest HTTP/1.1\r\nHost: x\r\n\r\n';
    const request = `GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`;
    const { text } = await rawExchange(bench.edge.port, Buffer.from(request));
    expect(statusLines(text).length).toBe(1);
  });

  test('a head that never ends is cut off, and others are served meanwhile', async () => {
    const slow = connect({ port: bench.edge.port, host: '127.0.0.1' });
    slow.on('error', () => undefined);
    await once(slow, 'connect');
    const drip = setInterval(() => slow.write('X: 1\r\n'), 100);
    slow.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n');
    expect((await pull(bench.blobUrl('library/app', blob.digest))).complete).toBe(true);
    const chunks: Buffer[] = [];
    slow.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(slow, 'close');
    clearInterval(drip);
    expect(Buffer.concat(chunks).toString()).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });
});

test('1,000 malformed requests: no 5xx, no hang, no stray file, bounded memory', async () => {
  const result = await malformedFlood(20_261, 1_000);
  console.info('answers by status', Object.fromEntries(result.statuses));
  expect(result.offending).toEqual([]);
  expect(result.servesCached).toBe(true);
  expect(result.strayFiles).toEqual([]);
  expect(result.residentBytes).toBeLessThan(256 * 1024 * 1024);
});
