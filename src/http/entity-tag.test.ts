import { describe, expect, test } from 'vitest';
import { allowsRange, matchesEntityTag } from './entity-tag.ts';

describe('If-None-Match', () => {
  test.each(['"a"', 'W/"a"', '*', ' * ', '"b", "a"', '"b",W/"a"', '"x,y" , "a"'])('%s names "a"', (value) => {
    expect(matchesEntityTag(value, '"a"')).toBe(true);
  });

  test.each(['', '"b"', 'a', '"A"', '"aa"', '"a', 'a"', '"b*"', '"x"a"y"'])('%s does not', (value) => {
    expect(matchesEntityTag(value, '"a"')).toBe(false);
  });

  test('a weak tag of ours is compared by what is quoted', () => {
    expect(matchesEntityTag('"a"', 'W/"a"')).toBe(true);
  });
});

describe('If-Range', () => {
  test.each([undefined, '"a"', ' "a" '])('%s lets the range apply', (value) => {
    expect(allowsRange(value, '"a"')).toBe(true);
  });

  test.each(['W/"a"', '"b"', 'Sat, 29 Oct 1994 19:43:31 GMT', ''])('%s does not', (value) => {
    expect(allowsRange(value, '"a"')).toBe(false);
  });
});
