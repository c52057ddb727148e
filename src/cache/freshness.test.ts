import { describe, expect, it } from 'vitest';
import { ageMs, freshnessOf, mayServeOnError, type FreshnessRule } from './freshness.ts';

const rule: FreshnessRule = {
  freshMs: 60,
  staleWhileRevalidateMs: 30,
  staleIfErrorMs: 1_000,
  negativeMs: 10,
};
const record = { checkedAtMs: 5_000 };

describe('freshnessOf', () => {
  it.each([
    [0, 'fresh'],
    [59, 'fresh'],
    [60, 'revalidate-behind'],
    [89, 'revalidate-behind'],
    [90, 'revalidate'],
    [1e12, 'revalidate'],
    [-1, 'revalidate'],
  ])('%i ms after the check: %s', (age, expected) => {
    expect(freshnessOf(record, rule, record.checkedAtMs + age)).toBe(expected);
  });

  it.each([0, 1])('asks always where nothing is fresh (%i ms)', (age) => {
    const never = { ...rule, freshMs: 0, staleWhileRevalidateMs: 0 };
    expect(freshnessOf(record, never, record.checkedAtMs + age)).toBe('revalidate');
  });
});

describe('mayServeOnError', () => {
  it.each([
    [0, true],
    [1_059, true],
    [1_060, false],
    [-1e12, true],
  ])('%i ms after the check: %s', (age, expected) => {
    expect(mayServeOnError(record, rule, record.checkedAtMs + age)).toBe(expected);
  });
});

it('no age is negative', () => {
  expect([4_000, 5_000, 6_000].map((nowMs) => ageMs(record, nowMs))).toEqual([0, 0, 1_000]);
});
