import { expect, test } from 'vitest';
import { ManualClock } from '../../src/base/manual-clock.ts';
import type { RateLimit } from '../../src/upstream/rate-limit.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../src/upstream/upstream-error.ts';
import { hubSubject, testUpstream, type TestedUpstream } from './upstream-test.ts';

interface Behaviour {
  readonly status?: number;
  readonly reach?: UpstreamError;
  readonly read?: UpstreamErrorKind;
  readonly remaining?: readonly number[];
}

function upstream({ reach, read, remaining = [], status = 401 }: Behaviour): TestedUpstream {
  const limits = remaining.map((left, at): [string, RateLimit] => [
    `account-${at}`,
    { limit: 100, remaining: left, windowSeconds: 21_600, source: undefined },
  ]);
  return {
    name: 'docker.io',
    url: 'https://registry-1.docker.io',
    client: {
      reach: async () => {
        if (reach !== undefined) throw reach;
        return { status };
      },
      headManifest: async () => {
        if (read !== undefined) throw new UpstreamError(read, `HEAD failed: ${read}`);
        return { digest: undefined, mediaType: 'm', size: undefined };
      },
      rateLimits: () => new Map(limits),
    },
  };
}

const tls = new UpstreamError('unavailable', 'GET https://registry-1.docker.io/v2/: failed', {
  cause: new Error('self-signed certificate in certificate chain'),
});

test.each<[string, Behaviour, string, RegExp]>([
  ['one that works', { remaining: [7] }, 'passed passed passed', /TLS is fine.*can be read.*7 of 100/s],
  ['one that told no limit', {}, 'passed passed skipped', /no limit/],
  ['one without that image', { read: 'absent' }, 'passed passed skipped', /no such image/],
  ['a certificate that is not trusted', { reach: tls }, 'failed skipped skipped', /self-signed certificate/],
  ['what is no registry', { status: 404 }, 'failed skipped skipped', /is this a registry's address/],
  ['a rejected account', { read: 'credential' }, 'passed failed skipped', /rejects the account/],
  ['an image that may not be read', { read: 'denied' }, 'passed failed skipped', /does not let this account/],
  ['a throttled edge', { read: 'throttled', remaining: [0] }, 'passed failed failed', /throttles us/],
  ['one account of two that is spent', { remaining: [0, 5] }, 'passed passed passed', /account-1: 5/],
])('%s', async (_, behaviour, outcomes, detail) => {
  const { signal } = new AbortController();
  const result = await testUpstream(upstream(behaviour), hubSubject(), { clock: new ManualClock(), signal });
  expect(result.passed).toBe(!outcomes.includes('failed'));
  const { steps } = result;
  // Without a connection there is nothing to read.
  expect(steps.map(({ outcome }) => outcome).join(' ')).toBe(outcomes);
  expect(steps.map((step) => step.detail).join('\n')).toMatch(detail);
});

test('without anything to read only that step is left out', async () => {
  const { signal } = new AbortController();
  const { steps } = await testUpstream(upstream({}), undefined, { clock: new ManualClock(), signal });
  expect(steps.map(({ outcome }) => outcome)).toEqual(['passed', 'skipped', 'skipped']);
});
