import { expect, test } from 'vitest';
import { errno } from '../../test/fakes/power-loss-disk.ts';
import { nodeDiskFiles } from '../base/disk-files.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { DiskSpace } from './disk-space.ts';

const mebibyte = 1024 * 1024;

function spaceOf(reserveBytes: number) {
  const state = { freeBytes: 1000 * mebibyte, asked: 0, fails: false };
  const clock = new ManualClock();
  const files = {
    ...nodeDiskFiles,
    statfs: async () => {
      state.asked += 1;
      if (state.fails) throw errno('EIO', 'statfs');
      return { bsize: mebibyte, blocks: 2000, bavail: state.freeBytes / mebibyte };
    },
  };
  return { state, clock, space: new DiskSpace({ files, path: '/', reserveBytes, clock }) };
}

test('asks again after a second, or after 64 MiB, and not before', async () => {
  const { state, clock, space } = spaceOf(mebibyte);
  for (let index = 0; index < 64; index += 1) await space.claim(mebibyte);
  expect(state.asked).toBe(1);
  await space.claim(1);
  expect(state.asked).toBe(2);
  await clock.advance(999);
  await space.claim(1);
  expect(state.asked).toBe(2);
  await clock.advance(1);
  await space.claim(1);
  expect(state.asked).toBe(3);
});

test('claims since the last answer count', async () => {
  const { state, clock, space } = spaceOf(990 * mebibyte);
  await space.claim(10 * mebibyte);
  await expect(space.claim(1)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  state.freeBytes += mebibyte;
  await clock.advance(1000);
  await space.claim(11 * mebibyte);
  await expect(space.claim(1)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
});

test('calls at once share one answer', async () => {
  const { state, space } = spaceOf(mebibyte);
  await Promise.all([space.claim(1), space.claim(1), space.freeBytes()]);
  expect(state.asked).toBe(1);
});

test('no reserve, no question', async () => {
  const { state, space } = spaceOf(0);
  await space.claim(Number.MAX_SAFE_INTEGER);
  expect(state.asked).toBe(0);
});

test('what the system refuses is a StorageError, and asked anew the next time', async () => {
  const { state, space } = spaceOf(1);
  state.fails = true;
  await expect(space.claim(1)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  state.fails = false;
  await space.claim(1);
});
