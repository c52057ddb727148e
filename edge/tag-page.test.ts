import { describe, expect, it } from 'vitest';
import { parseTagPageRequest, tagPage } from './tag-page.ts';

const tags = ['1.0', '1.1', 'latest', 'v2'];

describe('pages', () => {
  it.each([
    ['', tags, undefined],
    ['n=2', ['1.0', '1.1'], { n: 2, last: '1.1' }],
    ['n=2&last=1.1', ['latest', 'v2'], undefined],
    ['n=4', tags, undefined],
    ['n=100', tags, undefined],
    ['n=0', [], undefined],
    ['last=1.05', ['1.1', 'latest', 'v2'], undefined],
    ['last=zzz', [], undefined],
    ['n=999999999999999999999', tags, undefined],
  ])('%s', (query, expected, next) => {
    expect(tagPage(tags, parseTagPageRequest(new URLSearchParams(query)))).toEqual({ tags: expected, next });
  });
});

describe('refused counts', () => {
  it.each(['n=-1', 'n=abc', 'n=', 'n=1.5', 'n=1e3'])('%s', (query) => {
    expect(() => tagPage(tags, parseTagPageRequest(new URLSearchParams(query)))).toThrow(
      expect.objectContaining({ code: 'PAGINATION_NUMBER_INVALID' }),
    );
  });
});
