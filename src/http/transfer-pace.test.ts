import { expect, test } from 'vitest';
import { TransferPace } from './transfer-pace.ts';

const KiB = 1024;

function after(...writes: [bytes: number, durationMs: number][]): TransferPace {
  const pace = new TransferPace();
  for (const [bytes, durationMs] of writes) pace.wrote(bytes, durationMs);
  return pace;
}

test('nothing is known before the first write', () => {
  expect(after()).toMatchObject({ fast: false, slow: false });
});

test('a few quick writes do not make a fast reader', () => {
  expect(after([64 * KiB, 0], [64 * KiB, 1], [64 * KiB, 2])).toMatchObject({ fast: false, slow: false });
});

test('four do', () => {
  expect(after([64 * KiB, 0], [64 * KiB, 1], [64 * KiB, 2], [64 * KiB, 3])).toMatchObject({
    fast: true,
    slow: false,
  });
});

test('one slow write ends it', () => {
  const pace = after([64 * KiB, 0], [64 * KiB, 0], [64 * KiB, 0], [64 * KiB, 0], [1024 * KiB, 200]);
  expect(pace).toMatchObject({ fast: false, slow: true });
  pace.wrote(64 * KiB, 0);
  expect(pace).toMatchObject({ fast: false, slow: false });
});
