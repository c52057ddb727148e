import { describe, expect, test } from 'vitest';
import { OciError } from '../oci/error.ts';
import { blobResponse } from './blob-response.ts';
import { MemoryContent, patternBytes } from './testing/memory-content.ts';

const content = new MemoryContent(patternBytes(2000));
const entityTag = `"${content.digest}"`;

function plan(headers: Record<string, string>, method = 'GET') {
  return blobResponse({ method, headers }, content, { 'Cache-Status': 'wherry; hit' });
}

test('the whole blob', () => {
  expect(plan({})).toEqual({
    status: 200,
    headers: {
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'public, max-age=31536000, immutable',
      'Cache-Status': 'wherry; hit',
      'Content-Type': 'application/octet-stream',
      'Docker-Content-Digest': content.digest,
      ETag: entityTag,
    },
    contentLength: 2000,
    parts: [{ head: undefined, wanted: { kind: 'whole' }, length: 2000 }],
    tail: undefined,
  });
});

describe('one range', () => {
  test.each([
    ['bytes=500-1499', { kind: 'slice', start: 500, end: 1500 }, 'bytes 500-1499/2000'],
    ['bytes=500-', { kind: 'from', start: 500 }, 'bytes 500-1999/2000'],
    ['bytes=-500', { kind: 'slice', start: 1500, end: 2000 }, 'bytes 1500-1999/2000'],
    ['bytes=1500-9999', { kind: 'slice', start: 1500, end: 2000 }, 'bytes 1500-1999/2000'],
    ['bytes=0-0', { kind: 'slice', start: 0, end: 1 }, 'bytes 0-0/2000'],
    ['bytes=0-', { kind: 'from', start: 0 }, 'bytes 0-1999/2000'],
  ] as const)('%s', (range, wanted, contentRange) => {
    const planned = plan({ range });
    expect(planned.status).toBe(206);
    expect(planned.headers['Content-Range']).toBe(contentRange);
    expect(planned.parts.map((part) => part.wanted)).toEqual([wanted]);
    expect(planned.contentLength).toBe(planned.parts[0]!.length);
  });

  test.each(['bytes=2000-', 'bytes=2000-5000', 'bytes=500-0', 'bytes=-0'])('%s is unsatisfiable', (range) => {
    expect(() => plan({ range })).toThrow(
      expect.objectContaining({ code: 'RANGE_INVALID', headers: { 'Content-Range': 'bytes */2000' } }),
    );
  });
});

describe('a range that does not count', () => {
  test.each([
    ['HEAD', { range: 'bytes=0-9' }],
    ['GET', { range: 'items=0-9' }],
    ['GET', { range: 'bytes=nonsense' }],
    ['GET', { range: 'bytes=0-9', 'if-range': '"other"' }],
    ['GET', { range: 'bytes=0-9', 'if-range': `W/${entityTag}` }],
    ['GET', { range: 'bytes=0-9', 'if-range': 'Sat, 29 Oct 1994 19:43:31 GMT' }],
  ])('%s %j', (method, headers) => {
    expect(plan(headers, method)).toMatchObject({ status: 200, contentLength: 2000 });
  });

  test('If-Range with our tag lets it count', () => {
    expect(plan({ range: 'bytes=0-9', 'if-range': entityTag }).status).toBe(206);
  });
});

test('If-None-Match wins over Range', () => {
  const planned = plan({ range: 'bytes=5000-', 'if-none-match': entityTag });
  expect(planned).toMatchObject({ status: 304, contentLength: undefined, parts: [] });
  expect(planned.headers).not.toHaveProperty('Content-Type');
});

test('HEAD opens nothing', () => {
  expect(plan({}, 'HEAD').parts).toEqual([]);
});

test('an empty blob has no bytes to open', () => {
  const empty = new MemoryContent(Buffer.alloc(0));
  const planned = blobResponse({ method: 'GET', headers: {} }, empty, {});
  expect(planned).toMatchObject({ status: 200, contentLength: 0, parts: [] });
});

test("the service's Cache-Control wins", () => {
  const planned = blobResponse({ method: 'GET', headers: {} }, content, { 'Cache-Control': 'private' });
  expect(planned.headers['Cache-Control']).toBe('private');
});

test.each([
  ['65 ranges', Array.from({ length: 65 }, (_, i) => `${i}-${i}`).join(',')],
  ['ranges that come to more than the blob', '0-1500,400-1999'],
])('%s are refused', (_, ranges) => {
  expect(() => plan({ range: `bytes=${ranges}` })).toThrow(OciError);
  expect(() => plan({ range: `bytes=${ranges}` })).toThrow(expect.objectContaining({ status: 400 }));
});
