import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatByteSize, parseByteSize } from './byte-size.ts';

describe('parseByteSize', () => {
  it.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['10GB', 10_000_000_000],
    ['512MiB', 536_870_912],
    ['1.5 GiB', 1_610_612_736],
    ['1.5gib', 1_610_612_736],
    [' 4 kB ', 4_000],
    ['1KB', 1_000],
    ['7B', 7],
    ['0.0001kB', 0],
    ['2TiB', 2 * 1_024 ** 4],
    ['1PB', 1e15],
  ])('%j is %d', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each([
    '',
    ' ',
    'B',
    '-1',
    '+1',
    '1K',
    '10G',
    '1 000',
    '1,000',
    '1e9',
    '0x10',
    '.5GB',
    '1.GB',
    '1EiB',
    '9007199254740993',
    '9PiB1',
    '١GB',
    'NaN',
    'Infinity',
    '1  GB',
  ])('%j is refused', (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });

  it('never throws, and gives whole bytes or nothing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bytes = parseByteSize(text);
        return bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0);
      }),
    );
  });
});

describe('formatByteSize', () => {
  it.each([
    [0, '0B'],
    [1, '1B'],
    [1_000, '1kB'],
    [1_024, '1KiB'],
    [1_536, '1536B'],
    [10_000_000_000, '10GB'],
    [536_870_912, '512MiB'],
  ])('%d is %j', (bytes, text) => {
    expect(formatByteSize(bytes)).toBe(text);
  });

  it('reads back as the same number', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseByteSize(formatByteSize(bytes))).toBe(bytes);
      }),
    );
  });
});
