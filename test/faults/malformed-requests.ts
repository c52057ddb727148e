import * as fc from 'fast-check';

/** What a request that somebody means ill with is made of; a valid digest and repository among it reach deeper. */
const segments = fc.oneof(
  fc.constantFrom(
    'library',
    'app',
    '..',
    '.',
    '',
    '%2e%2e',
    '%2e%2e%2f',
    '..%5c',
    '%00',
    '%',
    '%zz',
    '%c0%ae',
    '\u2024',
    '_catalog',
    'manifests',
    'blobs',
    'uploads',
    'tags',
    'list',
    'referrers',
    'latest',
    'etc',
    'passwd',
    'docker.io',
    'evil.example',
    'localhost:1',
    '[::1]',
    '127.0.0.1',
    '_tags',
    'A',
    'a--b',
    'a..b',
    '-',
    'library/app/blobs',
    'library/app/manifests',
    'library/app/tags',
    'docker.io/library/app/manifests',
    'sha256:',
    'sha256:../../x',
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    `sha512:${'b'.repeat(128)}`,
  ),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.integer({ min: 100, max: 20_000 }).map((length) => 'x'.repeat(length)),
);

const methods = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('GET', 'HEAD') },
  fc.constantFrom(
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'CONNECT',
    'get',
    'G\u0000T',
    '',
    'BREW',
  ),
);

const targets = fc.oneof(
  { weight: 5, arbitrary: fc.array(segments, { maxLength: 6 }).map((parts) => `/v2/${parts.join('/')}`) },
  fc.array(segments, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
  fc.constantFrom(
    '*',
    '',
    'http://evil.example/v2/',
    'evil.example:443',
    '//evil.example/v2/',
    '/v2/?ns=%00',
  ),
);

const queries = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.constantFrom(
    '?ns=evil.example',
    '?ns=',
    '?ns=docker.io&ns=x',
    '?n=-1',
    '?n=abc',
    '?n=1e9',
    '?last=%ff',
    '?%',
  ),
);

const headers = fc.oneof(
  fc.constantFrom(
    'Range: bytes=5-1',
    'Range: bytes=-0',
    'Range: bytes=0-99999999999999999999',
    'Range: lines=1-2',
    'Range: bytes=0-0,5-9',
    `Range: bytes=${'0-1,'.repeat(500)}0-1`,
    'If-None-Match: *',
    'If-Range: x',

    'Content-Length: -1',
    'Content-Length: 5',
    'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: 1e3',

    'Transfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 3',
    'Transfer-Encoding: x',
    'Expect: 100-continue',
    'Expect: 200-maybe',
    'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings',

    'Host: evil.example',
    'Host: docker.io',
    'Host:',
    'X: a\r\n b',
    'X : a',
    ': a',
    'X\u0000: a',
    'X: \u0001',
    'Accept: */*',
    'Accept: \u00ff',
    'Authorization: Basic %',
    'Cookie: a=b',
    'Connection: close',
  ),
  fc
    .tuple(fc.string({ maxLength: 12 }), fc.string({ maxLength: 30 }))
    .map(([name, value]) => `${name}: ${value}`),
  fc.integer({ min: 1_000, max: 70_000 }).map((length) => `X-Long: ${'y'.repeat(length)}`),
  fc
    .integer({ min: 50, max: 3_000 })
    .map((count) => Array.from({ length: count }, () => 'X: 1').join('\r\n')),
);

const versions = fc.oneof(
  { weight: 8, arbitrary: fc.constant('HTTP/1.1') },
  fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', 'ICY', ''),
);

const lineEnds = fc.oneof(
  { weight: 8, arbitrary: fc.constant('\r\n') },
  fc.constantFrom('\n', '\r', '\r\r\n'),
);

const requests = fc
  .record({
    method: methods,
    target: fc.tuple(targets, queries).map((parts) => parts.join('')),
    version: versions,
    host: fc.boolean(),
    fields: fc.array(headers, { maxLength: 4 }),
    end: lineEnds,
    body: fc.oneof(
      fc.constant(''),
      fc.string({ maxLength: 200 }),
      fc.constant('0\r\n\r\nGET /v2/ HTTP/1.1\r\n\r\n'),
    ),
    /** Share of the request that is sent before the client falls silent. */
    sent: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(({ method, target, version, host, fields, end, body, sent }) => {
    const lines = [
      `${method} ${target} ${version}`,
      ...(host ? ['Host: 127.0.0.1'] : []),
      ...fields,
      '',
      body,
    ];
    const bytes = Buffer.from(lines.join(end));
    return bytes.subarray(0, Math.floor(bytes.length * sent));
  });

/** HTTP as it should be, around a path or a range that is not: these get past the parser. */
const impolite = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE'),
    segments: fc.array(segments, { minLength: 1, maxLength: 6 }),
    query: queries,
    field: fc.constantFrom(
      'Accept: */*',
      'Range: bytes=5-1',
      'Range: bytes=-0',
      'Range: bytes=0-99999999999999999999',
      'Range: bytes=0-0,5-9',
      'If-None-Match: *',
      'Host: docker.io',
      'Authorization: Basic %',
    ),
  })
  .map(({ method, segments: parts, query, field }) => {
    const path = parts
      .join('/')
      .slice(0, 8_000)
      .replaceAll(/[^!-~]/gu, (unit) => encodeURIComponent(unit.toWellFormed()));
    const host = field.startsWith('Host') ? '' : 'Host: 127.0.0.1\r\n';
    return Buffer.from(
      `${method} /v2/${path}${query} HTTP/1.1\r\n${host}${field}\r\nConnection: close\r\n\r\n`,
    );
  });

const garbage = fc.uint8Array({ maxLength: 4_000 }).map((bytes) => Buffer.from(bytes));

/** The same requests for the same seed: sound HTTP for senseless things, HTTP gone wrong, and what is no HTTP at all. */
export function malformedRequests(seed: number, count: number): Buffer[] {
  return fc.sample(
    fc.oneof({ weight: 5, arbitrary: impolite }, { weight: 4, arbitrary: requests }, garbage),
    { seed, numRuns: count },
  );
}
