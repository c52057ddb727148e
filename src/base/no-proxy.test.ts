import { describe, expect, test } from 'vitest';
import { isExempt, parseNoProxyRule } from './no-proxy.ts';

function exempt(entry: string, url: string): boolean {
  return isExempt([parseNoProxyRule(entry)!], new URL(url));
}

describe('goes without the proxy', () => {
  test.each([
    ['*', 'https://anything.example'],
    ['example.com', 'https://example.com'],
    ['example.com', 'https://www.example.com'],
    ['.example.com', 'https://example.com'],
    ['.example.com', 'https://a.b.example.com'],
    ['*.example.com', 'https://a.example.com'],
    ['Example.COM', 'https://EXAMPLE.com'],
    ['example.com.', 'https://example.com'],
    ['example.com', 'https://example.com.'],
    ['localhost', 'http://localhost:5000'],
    ['example.com:8443', 'https://a.example.com:8443'],
    ['example.com:443', 'https://example.com'],
    ['example.com:80', 'http://example.com'],
    ['10.1.2.3', 'https://10.1.2.3'],
    ['10.1.2.3:5000', 'http://10.1.2.3:5000'],
    ['10.0.0.0/8', 'https://10.200.1.1:5000'],
    ['0.0.0.0/0', 'https://8.8.8.8'],
    ['::1', 'http://[::1]:5000'],
    ['[::1]', 'http://[::1]'],
    ['[fd00::1]:5000', 'http://[fd00::1]:5000'],
    ['fd00::/8', 'https://[fd12:3456::1]'],
    [' example.com ', 'https://example.com'],
  ])('%s: %s', (entry, url) => {
    expect(exempt(entry, url)).toBe(true);
  });
});

describe('goes through the proxy', () => {
  test.each([
    ['example.com', 'https://notexample.com'],
    ['www.example.com', 'https://example.com'],
    ['example.com', 'https://example.com.evil.org'],
    ['example.com:8443', 'https://example.com'],
    ['example.com:443', 'http://example.com'],
    ['10.1.2.3', 'https://10.1.2.30'],
    ['10.0.0.0/8', 'https://11.0.0.1'],
    ['10.0.0.0/8', 'https://10.example.com'],
    ['127.0.0.1', 'https://localhost'],
    ['fd00::/8', 'https://[fe80::1]'],
    ['::1', 'http://[::2]'],
  ])('%s: %s', (entry, url) => {
    expect(exempt(entry, url)).toBe(false);
  });
});

test.each([
  '',
  ' ',
  '10.0.0.0/33',
  'fd00::/129',
  'a b',
  'http://a',
  'a..b',
  'a:0',
  'a:65536',
  '*a',
  '-',
  '[::1',
])('is no rule: %j', (entry) => {
  expect(parseNoProxyRule(entry)).toBeUndefined();
});
