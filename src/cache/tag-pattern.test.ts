import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tag } from '../oci/tag.ts';
import { compileTagPatterns } from './tag-pattern.ts';

function matches(patterns: readonly string[], tag: string): boolean {
  return compileTagPatterns(patterns)(tag as Tag);
}

describe('compileTagPatterns', () => {
  it.each([
    ['*', 'anything'],
    ['latest', 'latest'],
    ['v1.*', 'v1.'],
    ['v1.*', 'v1.2.3'],
    ['*-alpine', '3.20-alpine'],
    ['v?', 'v1'],
    ['v*.*.?', 'v1.20.3'],
    ['a*b*c', 'aXbXbXc'],
    ['**', 'x'],
    ['a***', 'a'],
  ])('%s matches %s', (pattern, tag) => expect(matches([pattern], tag)).toBe(true));

  it.each([
    ['latest', 'latest2'],
    ['latest', 'my-latest'],
    ['v1.*', 'v12'],
    ['v?', 'v'],
    ['v?', 'v10'],
    ['V1', 'v1'],
    ['a*b', 'abc'],
    ['1.2', '1x2'],
    ['(a|b)', 'a'],
    ['[ab]', 'a'],
    ['a+', 'aa'],
    ['', 'a'],
  ])('%s does not match %s', (pattern, tag) => expect(matches([pattern], tag)).toBe(false));

  it('takes any of several and none of none', () => {
    expect(matches(['a', 'b*'], 'b1')).toBe(true);
    expect(matches([], 'a')).toBe(false);
  });

  it('agrees with what a regular expression says', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (wanted, tag) => {
        const expression = wanted.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(matches([wanted], tag)).toBe(new RegExp(`^${expression}$`).test(tag));
      }),
    );
  });

  it('is quick with many stars', () => {
    expect(matches([`${'*a'.repeat(60)}b`], 'a'.repeat(128))).toBe(false);
  });
});
