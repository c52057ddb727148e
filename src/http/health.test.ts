import { describe, expect, test } from 'vitest';
import { ManualClock } from '../base/manual-clock.ts';
import { healthRoutes, type HealthCheck } from './health.ts';

const clock = new ManualClock();

function app(checks: readonly HealthCheck[], draining = false) {
  return healthRoutes({
    checks,
    checkTimeoutMs: 1000,
    clock,
    draining: () => draining,
    metrics: { contentType: 'text/plain; version=0.0.4', text: () => Promise.resolve('wherry_up 1\n') },
  });
}

const good: HealthCheck = { name: 'blobs', required: true, check: () => ({ healthy: true }) };
const bad = { name: 'hub', check: () => ({ healthy: false, detail: 'no route' }) };

test('/healthz', async () => {
  const response = await app([{ ...bad, required: true }], true).request('/healthz');
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  expect(response.headers.get('cache-control')).toBe('no-store');
});

describe('/readyz', () => {
  test.each([
    ['without checks', app([]), 200, 'ready'],
    ['all well', app([good]), 200, 'ready'],
    ['something optional away', app([good, { ...bad, required: false }]), 200, 'ready'],
    ['something required away', app([good, { ...bad, required: true }]), 503, 'not ready'],
    ['draining', app([good], true), 503, 'draining'],
  ])('%s', async (_, app, code, status) => {
    const response = await app.request('/readyz');
    expect(response.status).toBe(code);
    expect(await response.json()).toMatchObject({ status });
  });

  test('tells what each check said, but not what it threw', async () => {
    const broken = { name: 'disk', required: false, check: () => Promise.reject(new Error('secret')) };
    const response = await app([{ ...bad, required: false }, broken]).request('/readyz');
    expect(await response.json()).toEqual({
      status: 'ready',
      checks: [
        { name: 'hub', required: false, healthy: false, detail: 'no route' },
        { name: 'disk', required: false, healthy: false, detail: 'check failed' },
      ],
    });
  });

  test('a check that hangs counts as bad', async () => {
    const hanging = { name: 'db', required: true, check: () => new Promise<never>(() => undefined) };
    const asked = app([hanging]).request('/readyz');
    await clock.advance(1000);
    expect((await asked).status).toBe(503);
  });
});

test('/metrics', async () => {
  const response = await app([]).request('/metrics');
  expect(await response.text()).toBe('wherry_up 1\n');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
});
