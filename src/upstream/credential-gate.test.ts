import { expect, test } from 'vitest';
import { ManualClock } from '../base/manual-clock.ts';
import { noMetrics } from '../base/metrics.ts';
import { silentLogger } from '../base/logger.ts';
import { CredentialGate } from './credential-gate.ts';
import { UpstreamError } from './upstream-error.ts';
import { UpstreamMetrics } from './upstream-metrics.ts';

const signal = new AbortController().signal;
const minuteMs = 60_000;

function setUp(): { gate: CredentialGate; clock: ManualClock } {
  const clock = new ManualClock();
  const gate = new CredentialGate({
    credentialId: 'me',
    limits: { attempts: 3, pauseMs: 10 * minuteMs, maxPauseMs: 30 * minuteMs },
    clock,
    logger: silentLogger,
    metrics: new UpstreamMetrics(noMetrics, 'test'),
  });
  return { gate, clock };
}

test('a wrong credential under load for ten minutes is tried three times', async () => {
  const { gate, clock } = setUp();
  let logins = 0;
  const login = async (): Promise<void> => {
    logins += 1;
    await Promise.resolve();
    throw new UpstreamError('credential', 'wrong');
  };
  for (let second = 0; second < 599; second += 1) {
    const calls = Array.from({ length: 20 }, async () => gate.attempt('a', login, signal));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    await clock.advance(1000);
  }
  expect(logins).toBe(3);
  expect(gate.isClosed).toBe(true);
});

test('pauses rise, and a new secret is tried at once', async () => {
  const { gate, clock } = setUp();
  const wrong = async (): Promise<never> => {
    throw new UpstreamError('credential', 'wrong');
  };
  for (let count = 0; count < 3; count += 1)
    await expect(gate.attempt('a', wrong, signal)).rejects.toThrow('wrong');
  await clock.advance(10 * minuteMs);
  await expect(gate.attempt('a', wrong, signal)).rejects.toThrow('wrong');
  await clock.advance(19 * minuteMs);
  await expect(gate.attempt('a', wrong, signal)).rejects.toThrow('not tried for now');
  await expect(gate.attempt('b', async () => 'in', signal)).resolves.toBe('in');
  expect([gate.isClosed, gate.isProven('b'), gate.isProven('a')]).toEqual([false, true, false]);
});

test('logins run one by one until the credential has worked, then side by side', async () => {
  const { gate } = setUp();
  const running: PromiseWithResolvers<void>[] = [];
  const login = async (): Promise<void> => {
    const end = Promise.withResolvers<void>();
    running.push(end);
    await end.promise;
  };
  const settled = async (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
  const logins = Array.from({ length: 5 }, async () => gate.attempt('a', login, signal));
  await settled();
  expect(running.length).toBe(1);
  running[0]?.resolve();
  await settled();
  expect(running.length).toBe(5);
  for (const end of running) end.resolve();
  await Promise.all(logins);
});

test('an outage says nothing about the credential', async () => {
  const { gate } = setUp();
  const away = async (): Promise<never> => {
    throw new UpstreamError('unavailable', 'away');
  };
  for (let count = 0; count < 10; count += 1)
    await expect(gate.attempt('a', away, signal)).rejects.toThrow('away');
  expect(gate.isClosed).toBe(false);
});
