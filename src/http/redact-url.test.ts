import { expect, test } from 'vitest';
import { redactUrl } from './redact-url.ts';

test.each([
  ['/v2/', '/v2/'],
  ['/v2/a/manifests/x?ns=docker.io', '/v2/a/manifests/x?ns=docker.io'],
  ['/x?token=abc&ns=a', '/x?token=REDACTED&ns=a'],
  ['/x?a=1&access_token=abc', '/x?a=1&access_token=REDACTED'],
  [
    '/x?X-Amz-Signature=abc&X-Amz-Security-Token=d',
    '/x?X-Amz-Signature=REDACTED&X-Amz-Security-Token=REDACTED',
  ],
  ['/x?%74oken=abc', '/x?%74oken=REDACTED'],
  ['/x?PASSWORD=a=b?c', '/x?PASSWORD=REDACTED'],
  ['/x?client_secret=a&code=b&sig=c', '/x?client_secret=REDACTED&code=REDACTED&sig=REDACTED'],
  ['/x?%zz=1&flag', '/x?%zz=1&flag'],
  [`/${'a'.repeat(3000)}`, `/${'a'.repeat(2047)}...`],
])('%s', (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
});
