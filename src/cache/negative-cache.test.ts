import { beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../base/manual-clock.ts';
import { UpstreamError, type UpstreamErrorKind } from '../upstream/upstream-error.ts';
import { NegativeCache } from './negative-cache.ts';

const absent = new UpstreamError('absent', 'absent');
let clock: ManualClock;
let cache: NegativeCache;

beforeEach(() => {
  clock = new ManualClock();
  cache = new NegativeCache(clock);
});

it('gives the error back until its time is over', async () => {
  cache.remember('one', absent, 10);
  await clock.advance(9);
  expect([cache.refusal('one'), cache.refusal('other')]).toEqual([absent, undefined]);
  await clock.advance(1);
  expect(cache.refusal('one')).toBeUndefined();
});

it('a later refusal counts from its own time', async () => {
  cache.remember('one', absent, 10);
  await clock.advance(9);
  cache.remember('one', absent, 10);
  await clock.advance(9);
  expect(cache.refusal('one')).toBe(absent);
});

it('does not follow the wall clock', () => {
  cache.remember('one', absent, 10);
  clock.jumpWall(-86_400_000);
  clock.jumpWall(2 * 86_400_000);
  expect(cache.refusal('one')).toBe(absent);
});

it.each(['credential', 'throttled', 'unavailable', 'malformed'] satisfies UpstreamErrorKind[])(
  'does not remember an outage: %s',
  (kind) => {
    cache.remember('one', new UpstreamError(kind, kind), 10);
    expect(cache.refusal('one')).toBeUndefined();
  },
);

it('holds the newest ten thousand', () => {
  for (let count = 0; count <= 10_000; count += 1) cache.remember(`${count}`, absent, 10);
  expect([cache.refusal('0'), cache.refusal('1'), cache.refusal('10000')]).toEqual([
    undefined,
    absent,
    absent,
  ]);
});
