import { expect, it } from 'vitest';
import { readableSize } from './readable-size.ts';

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.00 kB'],
  [1_234, '1.23 kB'],
  [40_123_456, '40.1 MB'],
  [182_345_678_901, '182 GB'],
  [999_600, '1.00 MB'],
  [5e15, '5.00 PB'],
  [5e18, '5000 PB'],
])('%d is %s', (bytes, text) => {
  expect(readableSize(bytes)).toBe(text);
});
