import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patternBytes } from '../../test/fakes/scripted-origin.ts';
import { RecentChunks } from './recent-chunks.ts';

const bytes = patternBytes(1_000);

/** Pushes `bytes` from `start` on in chunks of these lengths. */
function pushed(lengths: readonly number[], start = 0, keepBytes = Infinity): RecentChunks {
  const recent = new RecentChunks(keepBytes);
  let at = start;
  for (const length of lengths) {
    recent.push(bytes.subarray(at, at + length), at);
    at += length;
  }
  return recent;
}

function read(recent: RecentChunks, position: number, length: number): Uint8Array {
  const into = new Uint8Array(length);
  return into.subarray(0, recent.read(into, position));
}

it('holds nothing at first', () => {
  const recent = new RecentChunks(10);
  expect([recent.end, recent.covers(0, 1), recent.read(new Uint8Array(5), 0)]).toEqual([0, false, 0]);
  expect(recent.covers(7, 7)).toBe(true);
});

it('covers what was pushed and no byte more', () => {
  const recent = pushed([10, 20], 100);
  expect(recent.end).toBe(130);
  const cases: [number, number][] = [
    [100, 130],
    [109, 111],
    [99, 130],
    [100, 131],
    [0, 10],
  ];
  expect(cases.map(([start, end]) => recent.covers(start, end))).toEqual([true, true, false, false, false]);
});

it('bytes that do not follow begin a new run', () => {
  const recent = pushed([10, 10]);
  recent.push(bytes.subarray(500, 510), 500);
  expect([recent.covers(0, 20), recent.covers(500, 510), recent.end]).toEqual([false, true, 510]);
});

describe('trim', () => {
  it.each([
    ['nothing while there is room', 30, 30, 0],
    ['the oldest that are written', 15, 30, 20],
    ['no chunk that is not written whole', 0, 15, 10],
    ['nothing that is not written', 0, 0, 0],
    ['all that is written', 0, 30, 30],
  ])('forgets %s', (_, keepBytes, writtenEnd, from) => {
    const recent = pushed([10, 10, 10], 0, keepBytes);
    recent.trim(writtenEnd);
    expect(recent.covers(from, 30)).toBe(true);
    if (from > 0) expect(recent.covers(from - 1, 30)).toBe(false);
  });
});

it('reads the same bytes whatever the chunks', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
  const property = fc.property(
    lengths,
    fc.nat(100),
    fc.nat(900),
    fc.integer({ min: 1, max: 200 }),
    (sizes, start, position, length) => {
      const recent = pushed(sizes, start);
      const inside = position >= start && position < recent.end;
      const expected = inside ? bytes.subarray(position, Math.min(position + length, recent.end)) : [];
      expect([...read(recent, position, length)]).toEqual([...expected]);
    },
  );
  fc.assert(property);
});

it('hands out the rest of the run from a position on', () => {
  const recent = pushed([10, 20, 30]);
  const rest = Buffer.concat([...recent.from(15)]);
  expect(rest).toEqual(Buffer.from(bytes.subarray(15, 60)));
  expect([...recent.from(60)]).toEqual([]);
  recent.clear();
  expect([[...recent.from(0)], recent.end]).toEqual([[], 0]);
});
