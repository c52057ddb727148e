import { expect, test } from 'vitest';
import { TransferBuffers } from './transfer-buffers.ts';

const [KiB, MiB] = [1024, 1024 * 1024];

test('large buffers run out, and small ones stand in', () => {
  const buffers = new TransferBuffers(2 * MiB);
  const sizes = [1, 2, 3].map(() => buffers.take('large').length);
  expect(sizes).toEqual([MiB, MiB, 64 * KiB]);
  expect(buffers.lentBytes).toBe(2 * MiB + 64 * KiB);
});

test('a buffer that came back is lent again', () => {
  const buffers = new TransferBuffers(MiB);
  const first = buffers.take('large');
  buffers.give(first);
  expect(buffers.lentBytes).toBe(0);
  expect(buffers.take('large')).toBe(first);
});

test('a forgotten buffer frees its place and is never lent again', () => {
  const buffers = new TransferBuffers(MiB);
  const first = buffers.take('large');
  buffers.forget(first);
  const second = buffers.take('large');
  expect(second).not.toBe(first);
  expect(second.length).toBe(MiB);
});

test('more returned than lent is a programming error', () => {
  const buffers = new TransferBuffers(MiB);
  const buffer = buffers.take('small');
  buffers.give(buffer);
  expect(() => buffers.give(buffer)).toThrow('more buffers returned than lent');
});
