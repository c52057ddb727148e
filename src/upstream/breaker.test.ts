import { expect, test } from 'vitest';
import { ManualClock } from '../base/manual-clock.ts';
import { Breaker, type Permit } from './breaker.ts';
import type { BreakerState } from './upstream-metrics.ts';

function setUp(): {
  breaker: Breaker;
  clock: ManualClock;
  changes: [BreakerState, number][];
  enter: () => Permit;
} {
  const clock = new ManualClock();
  const changes: [BreakerState, number][] = [];
  const breaker = new Breaker({
    limits: { failures: 3, pauseMs: 1000, maxPauseMs: 3000 },
    clock,
    random: () => 0,
    onChange: (...change) => changes.push(change),
  });
  return { breaker, clock, changes, enter: () => breaker.enter()! };
}

function fail(enter: () => Permit, times: number): void {
  for (let count = 0; count < times; count += 1) enter().fail();
}

test('opens after as many failures in a row as it was told', () => {
  const { breaker, enter } = setUp();
  fail(enter, 2);
  enter().succeed();
  fail(enter, 2);
  expect(breaker.isOpen).toBe(false);
  fail(enter, 1);
  expect([breaker.isOpen, breaker.enter(), breaker.remainingMs]).toEqual([true, undefined, 1000]);
});

test('lets one call try after the pause, and doubles the pause up to its limit', async () => {
  const { breaker, clock, changes, enter } = setUp();
  fail(enter, 3);
  for (const pauseMs of [1000, 2000, 3000, 3000]) {
    expect(changes.at(-1)).toEqual(['open', pauseMs]);
    await clock.advance(pauseMs - 1);
    expect(breaker.enter()).toBeUndefined();
    await clock.advance(1);
    const probe = enter();
    expect(breaker.enter()).toBeUndefined();
    probe.fail();
  }
});

test('a probe that succeeds closes it and the next pause is short again', async () => {
  const { breaker, clock, changes, enter } = setUp();
  fail(enter, 3);
  await clock.advance(1000);
  enter().fail();
  await clock.advance(2000);
  enter().succeed();
  expect(breaker.isOpen).toBe(false);
  fail(enter, 3);
  expect(changes.at(-1)).toEqual(['open', 1000]);
});

test('a probe that was given up leaves the next one to try', async () => {
  const { breaker, clock, enter } = setUp();
  fail(enter, 3);
  await clock.advance(1000);
  enter().abandon();
  expect(breaker.isOpen).toBe(false);
  enter().succeed();
  expect(breaker.isOpen).toBe(false);
});

test('calls that were given up do not count', () => {
  const { breaker, enter } = setUp();
  for (let count = 0; count < 10; count += 1) enter().abandon();
  expect(breaker.isOpen).toBe(false);
});

test('failures of calls that began before it opened do not lengthen the pause', async () => {
  const { breaker, clock, changes, enter } = setUp();
  const late = [enter(), enter(), enter(), enter()];
  fail(enter, 3);
  for (const permit of late) permit.fail();
  expect(changes).toEqual([['open', 1000]]);
  await clock.advance(1000);
  expect(breaker.isOpen).toBe(false);
});

test('a named pause opens it at once', async () => {
  const { breaker, clock, enter } = setUp();
  enter().fail(5000);
  expect(breaker.remainingMs).toBe(5000);
  await clock.advance(5000);
  enter().succeed();
  expect(breaker.isOpen).toBe(false);
});
