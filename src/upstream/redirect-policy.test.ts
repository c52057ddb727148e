import { expect, test } from 'vitest';
import { isRedirect, isSameOrigin, redirectTarget } from './redirect-policy.ts';

const from = new URL('https://registry.example.com/v2/a/blobs/x');

test.each([
  ['https://cdn.example.net/x?sig=1', 'https://cdn.example.net/x?sig=1'],
  ['/other', 'https://registry.example.com/other'],
  ['//cdn.example.net/x', 'https://cdn.example.net/x'],
  ['https://registry.example.com:8443/x', 'https://registry.example.com:8443/x'],
])('follows %s', (location, expected) => {
  expect(redirectTarget(from, location, false).href).toBe(expected);
});

test.each([
  [undefined, /names no place/],
  ['https://', /no URL/],
  ['ftp://example.com/', /ftp: is not a scheme/],
  ['http://registry.example.com/', /from https to http/],
  ['https://me:secret@example.com/', /carries a user/],
  ['https://127.0.0.1/', /private address/],
  ['https://[::ffff:10.0.0.1]/', /private address/],
  ['https://0x7f.1/', /private address/],
  ['https://169.254.169.254/', /private address/],
  ['https://localhost:5000/', /private address/],
])('refuses %s', (location, why) => {
  expect(() => redirectTarget(from, location, false)).toThrow(
    expect.objectContaining({ kind: 'malformed', message: expect.stringMatching(why) }),
  );
});

test('leads to a private address where that is allowed', () => {
  expect(redirectTarget(from, 'https://10.0.0.1/x', true).href).toBe('https://10.0.0.1/x');
});

test('never quotes a presigned query', () => {
  const signed = new URL('https://registry.example.com/x?token=hush');
  expect(() => redirectTarget(signed, 'http://a/', false)).toThrow(
    expect.not.objectContaining({ message: /hush/ }),
  );
});

test.each([301, 302, 303, 307, 308])('%d is a redirect', (status) => expect(isRedirect(status)).toBe(true));
test.each([200, 300, 304, 305, 306, 401])('%d is none', (status) => expect(isRedirect(status)).toBe(false));

test.each([
  ['https://a/', 'https://a:443/x', true],
  ['https://a/', 'http://a/', false],
  ['https://a/', 'https://a:8443/', false],
  ['https://a/', 'https://b/', false],
  ['https://a.example/', 'https://A.example/', true],
])('%s and %s: %s', (one, other, expected) => {
  expect(isSameOrigin(new URL(one), new URL(other))).toBe(expected);
});
