import { expect, test } from 'vitest';
import { formatHostPort, parseHostPort } from './host-port.ts';

test.each([
  ['127.0.0.1:5000', { host: '127.0.0.1', port: 5000 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['[::1]:65535', { host: '::1', port: 65_535 }],
  ['*:80', { host: '::', port: 80 }],
])('reads %s', (text, expected) => {
  expect(parseHostPort(text)).toEqual(expected);
  expect(parseHostPort(formatHostPort(expected))).toEqual(expected);
});

test.each([
  '5000',
  ':5000',
  '127.0.0.1',
  '127.0.0.1:',
  '127.0.0.1:65536',
  '::1:5000',
  '[::1]',
  'http://a:1',
  'a b:1',
  '',
])('refuses "%s"', (text) => {
  expect(parseHostPort(text)).toBeUndefined();
});
