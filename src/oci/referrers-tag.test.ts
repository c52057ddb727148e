import { describe, expect, it } from 'vitest';
import { parseDigest } from './digest.ts';
import { referrersTag } from './referrers-tag.ts';
import { parseTag } from './tag.ts';

describe('referrersTag', () => {
  it.each([
    [`sha256:${'ab'.repeat(32)}`, `sha256-${'ab'.repeat(32)}`],
    [`sha512:${'ab'.repeat(64)}`, `sha512-${'ab'.repeat(32)}`],
  ])('%s', (digest, tag) => {
    expect(referrersTag(parseDigest(digest)!)).toBe(tag);
    expect(parseTag(tag)).toBe(tag);
  });
});
