import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestAlgorithm, digestHex, parseDigest } from './digest.ts';
import { formatReference, parseReference } from './reference.ts';
import { parseRepositoryName } from './repository-name.ts';
import { parseTag } from './tag.ts';

const hex = '0123456789abcdef'.repeat(4);

describe('parseDigest', () => {
  it.each([
    [`sha256:${hex}`, 'sha256', hex],
    [`sha512:${hex}${hex}`, 'sha512', hex + hex],
  ])('%s', (text, algorithm, encoded) => {
    const digest = parseDigest(text)!;
    expect([digestAlgorithm(digest), digestHex(digest)]).toEqual([algorithm, encoded]);
  });

  it.each([
    '',
    ':',
    'sha256',
    'sha256:',
    hex,
    `sha256:${hex.toUpperCase()}`,
    `sha256:${hex}0`,
    `sha256:${hex.slice(1)}`,
    `sha512:${hex}`,
    `SHA256:${hex}`,
    `md5:${hex}`,
    `blake3:${hex}`,
    `sha256:${hex}\n`,
    `sha256:../${hex.slice(3)}`,
  ])('refuses %j', (text) => {
    expect(parseDigest(text)).toBeUndefined();
  });
});

describe('parseRepositoryName', () => {
  it.each([
    'a',
    'library/alpine',
    'a/b/c/d',
    'a-b',
    'a--b',
    'a_b',
    'a__b',
    'a.b',
    '0',
    'a'.repeat(255),
    'a/manifests/b',
  ])('takes %s', (text) => {
    expect(parseRepositoryName(text)).toBe(text);
  });

  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    'A',
    'a___b',
    'a..b',
    'a._b',
    '-a',
    'a-',
    '.a',
    'a.',
    '_a',
    'a b',
    'a:b',
    'a@b',
    '../a',
    'a/../b',
    'a\n',
    'é',
    'a'.repeat(256),
  ])('refuses %j', (text) => {
    expect(parseRepositoryName(text)).toBeUndefined();
  });
});

describe('parseTag', () => {
  it.each(['latest', '3.20', 'V1', '_x', 'a-b_c.d', 'a'.repeat(128)])('takes %s', (text) => {
    expect(parseTag(text)).toBe(text);
  });

  it.each(['', '.a', '-a', 'a/b', 'a:b', 'a b', 'a\n', 'a'.repeat(129), 'é', '..'])('refuses %j', (text) => {
    expect(parseTag(text)).toBeUndefined();
  });
});

describe('parseReference', () => {
  it.each([
    ['latest', { kind: 'tag', tag: 'latest' }],
    [`sha256:${hex}`, { kind: 'digest', digest: `sha256:${hex}` }],
  ])('%s', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
    expect(formatReference(parseReference(text)!)).toBe(text);
  });

  it.each(['', 'a:b', 'sha256:00', '-x'])('refuses %j', (text) => {
    expect(parseReference(text)).toBeUndefined();
  });
});

describe('all parsers of names', () => {
  it('never throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const parse of [parseDigest, parseRepositoryName, parseTag, parseReference]) parse(text);
      }),
    );
  });
});
