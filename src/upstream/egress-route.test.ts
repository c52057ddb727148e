import { describe, expect, test } from 'vitest';
import { parseNoProxyRule } from '../base/no-proxy.ts';
import { basicSignIn, generalRoute, type EgressProxy } from './egress-route.ts';

const proxy = (url: string): EgressProxy => ({ url: new URL(url), authorization: undefined });
const [https, http] = [proxy('http://a:1'), proxy('http://b:2')];
const route = generalRoute({ https, http, noProxy: [parseNoProxyRule('.internal')!] });

describe('the general route', () => {
  test.each([
    ['https://ghcr.io', https],
    ['http://ghcr.io', http],
    ['https://10.0.0.1', https],
    ['https://a.internal', undefined],
    ['http://localhost:5000', undefined],
    ['http://registry.localhost', undefined],
    ['http://127.8.8.8', undefined],
    ['https://[::1]:5000', undefined],
    ['https://localhost.example.com', https],
  ])('to %s', (url, expected) => {
    expect(route(new URL(url))).toBe(expected);
  });
});

test('a sign-in may have any text', () => {
  expect(basicSignIn('edge', 'a:ö')).toBe(`Basic ${Buffer.from('edge:a:ö').toString('base64')}`);
});
