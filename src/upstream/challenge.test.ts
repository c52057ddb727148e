import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseChallenges } from './challenge.ts';

function plain(fields: readonly string[]): unknown {
  return parseChallenges(fields).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

const docker = { realm: 'https://auth.docker.io/token', service: 'registry.docker.io' };

test.each<[string, readonly string[], unknown]>([
  ['none', [], []],
  [
    'Docker Hub',
    ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"'],
    [['bearer', { ...docker, scope: 'repository:a/b:pull' }]],
  ],
  [
    'commas and blanks in quotes',
    ['Bearer realm="r", scope="repository:a:pull,push repository:b:pull"'],
    [['bearer', { realm: 'r', scope: 'repository:a:pull,push repository:b:pull' }]],
  ],
  ['escapes', ['Basic realm="a \\"b\\" \\\\"'], [['basic', { realm: 'a "b" \\' }]]],
  [
    'bare values',
    ['bearer realm=https://h/t?x=1,service=s'],
    [['bearer', { realm: 'https://h/t?x=1', service: 's' }]],
  ],
  ['other case', ['BEARER Realm="r"'], [['bearer', { realm: 'r' }]]],
  ['blanks around =', ['Bearer realm = "r" , service= s'], [['bearer', { realm: 'r', service: 's' }]]],
  [
    'several in one field',
    ['Basic realm="x", Bearer realm="y",service="z"'],
    [
      ['basic', { realm: 'x' }],
      ['bearer', { realm: 'y', service: 'z' }],
    ],
  ],
  [
    'several fields',
    ['Negotiate', 'Bearer realm="y"'],
    [
      ['negotiate', {}],
      ['bearer', { realm: 'y' }],
    ],
  ],
  [
    'a token68 before',
    ['Negotiate YIIabc==, Bearer realm="y"'],
    [
      ['negotiate', {}],
      ['bearer', { realm: 'y' }],
    ],
  ],
  [
    'schemes alone',
    ['Negotiate, NTLM, Basic realm="b"'],
    [
      ['negotiate', {}],
      ['ntlm', {}],
      ['basic', { realm: 'b' }],
    ],
  ],
  ['a repeated name', ['Bearer realm="first",realm="second"'], [['bearer', { realm: 'first' }]]],
  ['an open quote', ['Bearer realm="r'], [['bearer', { realm: 'r' }]]],
  [
    'a stray parameter',
    ['="x", Bearer realm="r"'],
    [
      ['x', {}],
      ['bearer', { realm: 'r' }],
    ],
  ],
])('reads %s', (_, fields, expected) => {
  expect(plain(fields)).toEqual(expected);
});

const name = fc.stringMatching(/^[a-z]{1,8}$/);
const value = fc.string({ maxLength: 30 });

test('reads back whatever was quoted', () => {
  const challenge = fc.tuple(name, fc.dictionary(name, value, { minKeys: 1, maxKeys: 4 }));
  fc.assert(
    fc.property(fc.array(challenge, { minLength: 1, maxLength: 4 }), (challenges) => {
      const field = challenges
        .map(([scheme, parameters]) => {
          const pairs = Object.entries(parameters).map(
            ([key, text]) => `${key}="${text.replaceAll(/["\\]/g, '\\$&')}"`,
          );
          return `${scheme} ${pairs.join(', ')}`;
        })
        .join(', ');
      expect(plain([field])).toEqual(challenges.map(([scheme, parameters]) => [scheme, { ...parameters }]));
    }),
  );
});

test('survives any text', () => {
  const pieces = fc.constantFrom('Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', 'x', '/', '==');
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), pieces), { maxLength: 60 }), (texts) => {
      expect(parseChallenges([texts.join('')]).length).toBeLessThanOrEqual(16);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  'a '.repeat(100_000),
  '"'.repeat(100_000),
  'a="\\'.repeat(50_000),
  'B ' + 'x'.repeat(200_000),
  'B r="' + '\\"'.repeat(9000),
])('a long field costs no more than its length (%#)', (field) => {
  const started = performance.now();
  parseChallenges([field]);
  expect(performance.now() - started).toBeLessThan(1000);
});
