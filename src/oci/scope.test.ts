import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatScope, formatScopes, parseScope, parseScopes } from './scope.ts';

const scope = (type: string, name: string, ...actions: string[]) => ({ type, name, actions });

describe('parseScope', () => {
  it.each([
    ['repository:library/alpine:pull', scope('repository', 'library/alpine', 'pull')],
    ['repository:a/b:pull,push,delete', scope('repository', 'a/b', 'pull', 'push', 'delete')],
    ['repository:localhost:5000/a:pull', scope('repository', 'localhost:5000/a', 'pull')],
    ['registry:catalog:*', scope('registry', 'catalog', '*')],
    ['repository(plugin):a/b:pull', scope('repository', 'a/b', 'pull')],
    ['repository:a:metadata_read,scanner-pull', scope('repository', 'a', 'metadata_read', 'scanner-pull')],
    ['repository:a:', scope('repository', 'a')],
  ])('%s', (text, expected) => {
    expect(parseScope(text)).toEqual(expected);
  });

  it.each([
    '',
    'aws',
    ':',
    '::',
    'repository:a',
    'repository::pull',
    ':a:pull',
    'Repository:a:pull',
    'repository(:a:pull',
    'repository:a b:pull',
    'repository:a"b:pull',
    'repository:a\n:pull',
    'repository:a:pull,',
    'repository:a:pull push',
    'repository:a:pu11',
    `repository:${'a'.repeat(1_024)}:pull`,
  ])('refuses %j', (text) => {
    expect(parseScope(text)).toBeUndefined();
  });

  it('never throws, and reads back what it formats', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[a-z]{1,5}:[a-z:/0-9]{1,20}:[a-z*_,-]{0,20}$/),
    );
    fc.assert(
      fc.property(text, (text) => {
        const parsed = parseScope(text);
        if (parsed !== undefined) expect(parseScope(formatScope(parsed))).toEqual(parsed);
      }),
    );
  });
});

describe('parseScopes', () => {
  it('reads several and leaves malformed ones out', () => {
    const scopes = parseScopes(' repository:a:pull,push  aws repository:b:pull ');
    expect(scopes).toEqual([scope('repository', 'a', 'pull', 'push'), scope('repository', 'b', 'pull')]);
    expect(formatScopes(scopes ?? [])).toBe('repository:a:pull,push repository:b:pull');
  });

  it.each([
    ['', 0],
    [Array.from({ length: 100 }, () => 'repository:a:pull').join(' '), 100],
    [Array.from({ length: 101 }, () => 'repository:a:pull').join(' '), undefined],
  ])('counts %s', (text, count) => {
    expect(parseScopes(text)?.length).toBe(count);
  });
});
