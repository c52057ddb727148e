import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDurationMs } from './duration.ts';

describe('parseDurationMs', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['60s', 60_000],
    ['7d', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['1d2h3m4s5ms', 93_784_005],
    [' 5m ', 300_000],
    ['2m5ms', 120_005],
    ['0.5ms', 1],
  ])('%j is %d ms', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  it.each([
    '',
    ' ',
    's',
    '60',
    '-1s',
    '1s1h',
    '1h1h',
    '1 h',
    '1H',
    '1w',
    '1us',
    '1e3s',
    '1.s',
    '.5s',
    '1h30',
    '999999999999d',
  ])('%j is refused', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });

  it('never throws, and gives whole milliseconds or nothing', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9.dhms ]*$/), (text) => {
        const durationMs = parseDurationMs(text);
        return durationMs === undefined || (Number.isSafeInteger(durationMs) && durationMs >= 0);
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ms'],
    [60_000, '1m'],
    [5_400_000, '1h30m'],
    [604_800_000, '7d'],
    [93_784_005, '1d2h3m4s5ms'],
  ])('%d ms is %j', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it('reads back as the same time', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (durationMs) => {
        expect(parseDurationMs(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });
});
