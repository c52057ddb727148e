import { assert, nat, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

const keys = ['access', 'name', 'url', 'hosts', 'maxConnections'];

test.each([
  ['acces', 'access'],
  ['Access', 'access'],
  ['maxConections', 'maxConnections'],
  ['nmae', undefined],
  ['host', 'hosts'],
])('for %s suggests %s', (text, expected) => {
  expect(suggest(text, keys)).toBe(expected);
});

test.each(['quota', 'x', '', 'a'.repeat(500)])('for "%s" suggests nothing', (text) => {
  expect(suggest(text, keys)).toBeUndefined();
});

describe('the edit distance', () => {
  const word = string({ maxLength: 12 });

  test('is zero exactly for equal texts, and the same both ways', () => {
    assert(
      property(word, word, (one, other) => {
        const distance = editDistance(one, other);
        expect(distance === 0).toBe(one === other);
        expect(editDistance(other, one)).toBe(distance);
      }),
    );
  });

  test('is one after one character was added', () => {
    assert(
      property(word, nat(12), (text, at) => {
        expect(editDistance(text, `${text.slice(0, at)}x${text.slice(at)}`)).toBe(1);
      }),
    );
  });
});
