import { expect, test } from 'vitest';
import { judgeRealm, type RealmRules } from './realm-policy.ts';

function judge(realm: string, upstream: string, changes: Partial<RealmRules> = {}): unknown {
  const verdict = judgeRealm(realm, {
    upstream: new URL(upstream),
    trustedRealms: [],
    allowPrivate: false,
    ...changes,
  });
  return verdict.kind === 'refused' ? 'refused' : verdict.withCredential ? 'credential' : 'anonymous';
}

test.each([
  ['https://auth.docker.io/token', 'https://registry-1.docker.io'],
  ['https://ghcr.io/token', 'https://ghcr.io'],
  ['https://r.example.com:5000/token', 'https://r.example.com:5000'],
  ['https://auth.example.co.uk/token', 'https://registry.example.co.uk'],
  ['https://auth.example.com:5000/token', 'https://registry.example.com:5000'],
  ['https://auth.example.com/token', 'https://registry.example.com:5000'],
  ['http://r.example.com/token', 'http://r.example.com'],
  ['http://127.0.0.1:5001/token', 'http://127.0.0.1:5001'],
])('%s sees the credential for %s', (realm, upstream) => {
  expect(judge(realm, upstream)).toBe('credential');
});

test.each([
  ['another domain', 'https://auth.evil.com/token', 'https://registry.example.com'],
  ['a public suffix in common', 'https://a.co.uk/token', 'https://b.co.uk'],
  ['a private suffix in common', 'https://evil.github.io/token', 'https://me.github.io'],
  ['a suffix of the name alone', 'https://notdocker.io/token', 'https://registry-1.docker.io'],
  ['the name as a prefix', 'https://docker.io.evil.com/token', 'https://registry-1.docker.io'],
  ['another port of the same host', 'https://r.example.com:8443/token', 'https://r.example.com'],
  ['an odd port of another host', 'https://auth.example.com:8443/token', 'https://r.example.com'],
  ['another address', 'https://8.8.8.8/token', 'https://8.8.4.4'],
  ['an address for a name', 'https://8.8.8.8/token', 'https://r.example.com'],
])('%s does not see the credential', (_, realm, upstream) => {
  expect(judge(realm, upstream)).toBe('anonymous');
});

test.each([
  ['plain text behind TLS', 'http://r.example.com/token', 'https://r.example.com'],
  ['another scheme', 'ftp://r.example.com/token', 'https://r.example.com'],
  ['no URL', 'token', 'https://r.example.com'],
  ['a user', 'https://a:b@r.example.com/token', 'https://r.example.com'],
  ['a metadata service', 'https://169.254.169.254/token', 'https://r.example.com'],
  ['the machine itself', 'https://localhost/token', 'https://r.example.com'],
  ['a mapped address', 'https://[::ffff:127.0.0.1]/token', 'https://r.example.com'],
])('%s is not called', (_, realm, upstream) => {
  expect(judge(realm, upstream)).toBe('refused');
});

test('a trusted origin sees the credential, its port included', () => {
  const trustedRealms = ['https://auth.partner.net:8443'];
  expect(judge('https://auth.partner.net:8443/t', 'https://r.example.com', { trustedRealms })).toBe(
    'credential',
  );
  expect(judge('https://auth.partner.net/t', 'https://r.example.com', { trustedRealms })).toBe('anonymous');
  expect(judge('http://auth.partner.net:8443/t', 'https://r.example.com', { trustedRealms })).toBe('refused');
});

test('a private realm is called where that is allowed, without the credential', () => {
  expect(judge('https://10.0.0.2/token', 'https://10.0.0.1', { allowPrivate: true })).toBe('anonymous');
});
