import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatContentRange,
  formatUnsatisfiedRange,
  parseChunkRange,
  parseContentRange,
  parseRangeHeader,
} from './byte-range.ts';

const closed = (start: number, end: number) => ({ start, end, openEnded: false });

describe('parseRangeHeader of 1,000 bytes', () => {
  it.each([
    ['bytes=0-0', [closed(0, 1)]],
    ['bytes=0-499', [closed(0, 500)]],
    ['Bytes=500-600', [closed(500, 601)]],
    ['bytes=500-', [{ start: 500, end: 1_000, openEnded: true }]],
    ['bytes=-500', [closed(500, 1_000)]],
    ['bytes=-5000', [closed(0, 1_000)]],
    ['bytes=900-5000', [closed(900, 1_000)]],
    ['bytes=0-999999999999999999999999', [closed(0, 1_000)]],
    [`bytes=0-${'9'.repeat(400)}`, [closed(0, 1_000)]],
    ['bytes=-99999999999999999999', [closed(0, 1_000)]],
    ['bytes=000000000000000000000007-8', [closed(7, 9)]],
    ['bytes=0-0,5-9', [closed(0, 1), closed(5, 10)]],
    ['bytes= 0-0 ,\t5-9 ', [closed(0, 1), closed(5, 10)]],
    ['bytes=,0-0,,5-9,', [closed(0, 1), closed(5, 10)]],
    ['bytes=5-9,0-9', [closed(5, 10), closed(0, 10)]],
    ['bytes=0-0,2000-3000', [closed(0, 1)]],
    ['bytes=5-1,0-0', [closed(0, 1)]],
    [
      `bytes=${Array.from({ length: 64 }, (_, at) => `${at}-${at}`).join(',')}`,
      Array.from({ length: 64 }, (_, at) => closed(at, at + 1)),
    ],
  ])('%s', (header, ranges) => {
    expect(parseRangeHeader(header, 1_000)).toEqual({ kind: 'ranges', ranges });
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes =0-1',
    'items=0-1',
    'bytes=abc',
    'bytes=-',
    'bytes=1',
    'bytes=1-2-3',
    'bytes=0x1-2',
    'bytes=1 - 2',
    'bytes=+1-2',
    'bytes=1.5-2',
    'bytes=--5',
    'bytes=0-1;2-3',
    'bytes=0-1,x',
    'bytes=1e2-',
    'bytes=١-٢',
  ])('ignores %j', (header) => {
    expect(parseRangeHeader(header, 1_000)).toEqual({ kind: 'none' });
  });

  it.each([
    'bytes=1000-',
    'bytes=5000-10000',
    'bytes=500-0',
    'bytes=-0',
    'bytes=1000-2000,-0',
    'bytes=99999999999999999999-',
  ])('cannot satisfy %s', (header) => {
    expect(parseRangeHeader(header, 1_000)).toEqual({ kind: 'unsatisfiable' });
  });

  it.each([
    Array.from({ length: 65 }, () => '0-0').join(','),
    ','.repeat(10_000),
    Array.from({ length: 5_000 }, () => '9-').join(','),
  ])('finds too many: %s', (set) => {
    expect(parseRangeHeader(`bytes=${set}`, 1_000)).toEqual({ kind: 'too-many' });
  });

  it.each(['bytes=0-', 'bytes=0-0', 'bytes=-1'])('cannot satisfy %s of nothing', (header) => {
    expect(parseRangeHeader(header, 0)).toEqual({ kind: 'unsatisfiable' });
  });

  it('gives only runs that lie within the bytes, for any header', () => {
    const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[0-9 ,-]*$/));
    fc.assert(
      fc.property(header, fc.maxSafeNat(), (header, size) => {
        const request = parseRangeHeader(header, size);
        if (request.kind !== 'ranges') return;
        for (const { start, end } of request.ranges) {
          expect(start >= 0 && start < end && end <= size && Number.isSafeInteger(end)).toBe(true);
        }
      }),
    );
  });
});

describe('parseContentRange', () => {
  it.each([
    ['bytes 0-99/1000', { start: 0, end: 100, size: 1_000 }],
    ['Bytes 0-0/1', { start: 0, end: 1, size: 1 }],
    ['bytes 5-9/*', { start: 5, end: 10, size: undefined }],
  ])('%s', (value, range) => {
    expect(parseContentRange(value)).toEqual(range);
  });

  it.each([
    '',
    'bytes */1000',
    'bytes 0-99',
    '0-99/100',
    'bytes=0-99/100',
    'bytes 9-5/100',
    'bytes 0-100/100',
    'bytes 0-9007199254740991/*',
    'bytes 0-1/9007199254740993',
    'bytes 0-1/10 ',
  ])('refuses %j', (value) => {
    expect(parseContentRange(value)).toBeUndefined();
  });

  it('reads what is formatted', () => {
    const positions = fc.tuple(
      fc.nat(),
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.option(fc.nat(), { nil: undefined }),
    );
    fc.assert(
      fc.property(positions, ([start, length, rest]) => {
        const end = start + length;
        const range = { start, end, size: rest === undefined ? undefined : end + rest };
        expect(parseContentRange(formatContentRange(range))).toEqual(range);
      }),
    );
  });

  it('leaves the bytes out where none were sent', () => {
    expect(formatUnsatisfiedRange(1_000)).toBe('bytes */1000');
  });
});

describe('parseChunkRange', () => {
  it.each([
    ['0-99', { start: 0, end: 100 }],
    ['bytes=0-99', { start: 0, end: 100 }],
    ['0-0', { start: 0, end: 1 }],
  ])('%s', (value, range) => {
    expect(parseChunkRange(value)).toEqual(range);
  });

  it.each(['', '0', '-', '0-', '-5', '0--1', '9-5', 'bytes 0-99', '0-99/100', ' 0-99', '0-9007199254740993'])(
    'refuses %j',
    (value) => {
      expect(parseChunkRange(value)).toBeUndefined();
    },
  );

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseChunkRange(text);
        parseContentRange(text);
      }),
    );
  });
});
