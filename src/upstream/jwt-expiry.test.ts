import { array, assert, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { jwtExpiryMs } from './jwt-expiry.ts';

function token(claims: unknown): string {
  return `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
}

test.each([1, 1_767_225_600, 1_767_225_600.5])('exp %d is read', (exp) => {
  expect(jwtExpiryMs(token({ exp, iss: 'x' }))).toBe(exp * 1000);
});

test.each([
  ['no exp', token({ iat: 1 })],
  ['a text for exp', token({ exp: '1' })],
  ['a negative exp', token({ exp: -1 })],
  ['no object', token('x')],
  ['nothing', token(null)],
  ['an opaque token', 'opaque'],
  ['two dots in an opaque token', 'a.b.c'],
  ['too many parts', `${token({ exp: 1 })}.x`],
  ['too long a token', `a.${'A'.repeat(100_000)}.c`],
  ['an empty text', ''],
])('%s gives none', (_, text) => {
  expect(jwtExpiryMs(text)).toBeUndefined();
});

test('any text gives a number or nothing', () => {
  assert(
    property(array(string(), { maxLength: 4 }), (parts) => {
      const found = jwtExpiryMs(parts.join('.'));
      expect(found === undefined || found > 0).toBe(true);
    }),
  );
});
