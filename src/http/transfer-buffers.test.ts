import { expect, test } from 'vitest';
import { largeBufferBytes, TransferBuffers } from './transfer-buffers.ts';

const KiB = 1024;

test('large buffers run out, and small ones stand in', () => {
  const buffers = new TransferBuffers(2 * largeBufferBytes);
  const sizes = [1, 2, 3].map(() => buffers.take('large').length);
  expect(sizes).toEqual([largeBufferBytes, largeBufferBytes, 64 * KiB]);
  expect(buffers.lentBytes).toBe(2 * largeBufferBytes + 64 * KiB);
});

test('a buffer that came back is lent again', () => {
  const buffers = new TransferBuffers(largeBufferBytes);
  const first = buffers.take('large');
  buffers.give(first);
  expect(buffers.lentBytes).toBe(0);
  expect(buffers.take('large')).toBe(first);
});

test('a forgotten buffer frees its place and is never lent again', () => {
  const buffers = new TransferBuffers(largeBufferBytes);
  const first = buffers.take('large');
  buffers.forget(first);
  const second = buffers.take('large');
  expect(second).not.toBe(first);
  expect(second.length).toBe(largeBufferBytes);
});

test('more returned than lent is a programming error', () => {
  const buffers = new TransferBuffers(largeBufferBytes);
  const buffer = buffers.take('small');
  buffers.give(buffer);
  expect(() => buffers.give(buffer)).toThrow('more buffers returned than lent');
});
