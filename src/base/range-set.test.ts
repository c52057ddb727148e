import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeSet, type Span } from './range-set.ts';

const width = 48;

const anySpan = fc
  .tuple(fc.integer({ min: 0, max: width }), fc.integer({ min: 0, max: width }))
  .map(([a, b]): Span => ({ start: Math.min(a, b), end: Math.max(a, b) }));

/** The obvious implementation: one boolean a position. */
function bitmapOf(spans: readonly Span[]): boolean[] {
  const bits = Array.from({ length: width }, () => false);
  for (const { start, end } of spans) bits.fill(true, start, end);
  return bits;
}

function runs(bits: readonly boolean[], value: boolean, within: Span = { start: 0, end: width }): Span[] {
  const found: Span[] = [];
  for (let at = within.start; at < within.end; at += 1) {
    if (bits[at] !== value) continue;
    const last = found.at(-1);
    if (last?.end === at) found[found.length - 1] = { start: last.start, end: at + 1 };
    else found.push({ start: at, end: at + 1 });
  }
  return found;
}

describe('RangeSet against a bitmap', () => {
  test('spans, totals and emptiness after every add', () => {
    fc.assert(
      fc.property(fc.array(anySpan, { maxLength: 24 }), (spans) => {
        const set = new RangeSet();
        for (const [index, span] of spans.entries()) {
          set.add(span);
          const bits = bitmapOf(spans.slice(0, index + 1));
          expect(set.spans).toEqual(runs(bits, true));
          expect(set.totalBytes).toBe(bits.filter(Boolean).length);
          expect(set.isEmpty).toBe(!bits.includes(true));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('covers, contiguousEnd and missing', () => {
    fc.assert(
      fc.property(fc.array(anySpan, { maxLength: 12 }), anySpan, (spans, asked) => {
        const set = RangeSet.from(spans);
        const bits = bitmapOf(spans);
        expect(set.missing(asked)).toEqual(runs(bits, false, asked));
        expect(set.covers(asked)).toBe(bits.slice(asked.start, asked.end).every(Boolean));
        let end = asked.start;
        while (bits[end] === true) end += 1;
        expect(set.contiguousEnd(asked.start)).toBe(end);
      }),
      { numRuns: 500 },
    );
  });

  test('JSON and clone give back the same set, independent of the first', () => {
    fc.assert(
      fc.property(fc.array(anySpan, { maxLength: 12 }), (spans) => {
        const set = RangeSet.from(spans);
        const copy = set.clone();
        expect(RangeSet.from(JSON.parse(JSON.stringify(set)) as Span[]).spans).toEqual(set.spans);
        copy.add({ start: 0, end: width });
        expect(set.spans).toEqual(runs(bitmapOf(spans), true));
      }),
    );
  });
});

test('a million appended chunks stay one span', () => {
  const set = new RangeSet();
  for (let index = 0; index < 1_000_000; index += 1) set.add({ start: index * 10, end: index * 10 + 10 });
  expect(set.spans).toEqual([{ start: 0, end: 10_000_000 }]);
});

test.each([
  { start: 2, end: 1 },
  { start: -1, end: 1 },
  { start: 0, end: 1.5 },
  { start: 0, end: Number.NaN },
])('refuses $start..$end', (span) => {
  const set = new RangeSet();
  expect(() => set.add(span)).toThrow(/not a span/);
  expect(() => set.covers(span)).toThrow(/not a span/);
  expect(() => set.missing(span)).toThrow(/not a span/);
});
