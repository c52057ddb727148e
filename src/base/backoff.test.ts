import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from './backoff.ts';

const almostOne = 1 - Number.EPSILON;

describe('backoffDelayMs', () => {
  it.each([
    { attempt: 0, random: almostOne, expected: 99 },
    { attempt: 1, random: almostOne, expected: 199 },
    { attempt: 3, random: 0.5, expected: 400 },
    { attempt: 3, random: 0, expected: 0 },
    { attempt: 50, random: almostOne, expected: 4_999 },
    { attempt: 5_000, random: almostOne, expected: 4_999 },
    { attempt: -1, random: almostOne, expected: 99 },
  ])('attempt $attempt at $random waits $expected ms', ({ attempt, random, expected }) => {
    expect(backoffDelayMs(attempt, { firstMs: 100, maxMs: 5_000, random: () => random })).toBe(expected);
  });

  it('stays within its bounds', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: almostOne, noNaN: true }), (attempt, random) => {
        const delayMs = backoffDelayMs(attempt, { firstMs: 50, maxMs: 60_000, random: () => random });
        return delayMs >= 0 && delayMs < 60_000;
      }),
    );
  });
});
