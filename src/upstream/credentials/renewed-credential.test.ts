import https from 'node:https';
import { beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { createPrometheusMetrics } from '../../base/prometheus-metrics.ts';
import type { Credential } from '../credential.ts';
import { UpstreamError } from '../upstream-error.ts';
import { UpstreamMetrics } from '../upstream-metrics.ts';
import type { ObtainedCredential } from './login.ts';
import { RenewedCredential } from './renewed-credential.ts';

const signal = new AbortController().signal;
const hourMs = 3_600_000;
let clock: ManualClock;
let metrics: ReturnType<typeof createPrometheusMetrics>;
let logins: number;
let fingerprint: string;
/** What the next logins come to; a password that counts up where nothing is said. */
let outcome: (signal: AbortSignal) => Promise<Partial<ObtainedCredential>>;
let source: RenewedCredential;

beforeEach(() => {
  clock = new ManualClock();
  metrics = createPrometheusMetrics();
  logins = 0;
  fingerprint = 'one';
  outcome = async () => ({});
  source = new RenewedCredential({
    id: 'cloud-1',
    limits: { loginMs: 20_000, retryMs: 30_000, rejectedAfterMs: 600_000 },
    login: {
      fingerprint: async () => fingerprint,
      obtain: async (loginSignal) => {
        logins += 1;
        return {
          credential: numbered(logins),
          expiresAtMs: clock.nowMs() + hourMs,
          ...(await outcome(loginSignal)),
        };
      },
    },
    context: {
      upstream: new URL('https://upstream.test'),
      transport: { send: neverAsked, upstreamIsPrivate: false, close: neverAsked },
      httpsAgent: () => new https.Agent(),
      limits: { attempts: 3, pauseMs: 600_000, maxPauseMs: hourMs },
      clock,
      logger: silentLogger,
      metrics: new UpstreamMetrics(metrics, 'upstream.test'),
    },
  });
});

async function neverAsked(): Promise<never> {
  throw new Error('not asked for anything here');
}

function numbered(number: number): Credential {
  return { kind: 'password', username: 'me', password: `password-${number}` };
}

function failing(kind: 'credential' | 'unavailable'): typeof outcome {
  return async () => {
    throw new UpstreamError(kind, kind);
  };
}

async function read(): Promise<Credential> {
  return source.read(signal);
}

test('many readers share one login', async () => {
  const found = await Promise.all(Array.from({ length: 20 }, read));
  expect(new Set(found.map((each) => JSON.stringify(each))).size).toBe(1);
  expect(logins).toBe(1);
});

test('is kept for four fifths of its life, then renewed while nobody waits', async () => {
  await read();
  await clock.advance(0.8 * hourMs - 1);
  expect([await read(), logins]).toEqual([numbered(1), 1]);
  await clock.advance(1);
  expect(await read()).toEqual(numbered(1));
  await clock.advance(0);
  expect([await read(), logins]).toEqual([numbered(2), 2]);
});

test('is used to its end while the cloud is away, which is asked every half minute', async () => {
  await read();
  outcome = failing('unavailable');
  await clock.advance(0.8 * hourMs);
  for (let second = 0; second < 60; second += 1) {
    expect(await read()).toEqual(numbered(1));
    await clock.advance(1000);
  }
  expect(logins).toBe(3);
  await clock.advance(0.2 * hourMs);
  await expect(read()).rejects.toMatchObject({ kind: 'unavailable' });
});

test('a login that is turned away is tried three times, then left alone for ten minutes', async () => {
  outcome = failing('credential');
  for (let time = 0; time < 9; time += 1) await expect(read()).rejects.toMatchObject({ kind: 'credential' });
  expect(logins).toBe(3);
  expect(await metrics.text()).toMatch(/wherry_upstream_credential_rejected\{.*credential="cloud-1".*\} 1/);
  await clock.advance(600_000);
  await expect(read()).rejects.toMatchObject({ kind: 'credential' });
  expect(logins).toBe(4);
});

test('a corrected secret is tried at once', async () => {
  outcome = failing('credential');
  for (let time = 0; time < 4; time += 1) await expect(read()).rejects.toMatchObject({ kind: 'credential' });
  outcome = async () => ({});
  fingerprint = 'two';
  expect(await read()).toEqual(numbered(4));
  expect(await metrics.text()).toMatch(/wherry_upstream_credential_rejected\{.*credential="cloud-1".*\} 0/);
});

test('a changed secret takes the place of a credential that is still good', async () => {
  await read();
  fingerprint = 'two';
  expect(await read()).toEqual(numbered(2));
});

test('one that the registry turns away is replaced when it is old enough', async () => {
  await read();
  source.rejected(numbered(1));
  expect(await read()).toEqual(numbered(1));
  await clock.advance(600_000);
  expect(await read()).toEqual(numbered(2));
});

test('what the registry says of an earlier one does not touch the one at hand', async () => {
  await read();
  source.rejected(numbered(7));
  await clock.advance(600_000);
  expect([await read(), logins]).toEqual([numbered(1), 1]);
});

test('a login that hangs is given up, and says nothing about the credential', async () => {
  outcome = async (loginSignal) =>
    new Promise((_, reject) => loginSignal.addEventListener('abort', () => reject(new Error('own words'))));
  const failure = expect(read()).rejects.toMatchObject({ kind: 'unavailable' });
  await clock.advance(20_000);
  await failure;
});

test('a reader who leaves does not take the login from the others', async () => {
  const leaving = new AbortController();
  const [left, stays] = [source.read(leaving.signal), read()];
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  expect(await stays).toEqual(numbered(1));
});

test('one that looks spent on arrival is used for a minute, for the clocks may differ', async () => {
  outcome = async () => ({ expiresAtMs: clock.nowMs() - hourMs });
  await read();
  await clock.advance(40_000);
  expect([await read(), logins]).toEqual([numbered(1), 1]);
  await clock.advance(20_000);
  expect([await read(), logins]).toEqual([numbered(2), 2]);
});

test('says when it ends', async () => {
  await read();
  const line = (await metrics.text())
    .split('\n')
    .find((each) => each.startsWith('wherry_upstream_credential_expiry'));
  expect(line).toContain('upstream="upstream.test",credential="cloud-1"');
  expect(Number(line?.split(' ').at(-1))).toBe((clock.nowMs() + hourMs) / 1000);
});
