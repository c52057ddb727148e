import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import type { PartialBlob } from '../blob/blob-store.ts';
import { WriteBehind } from './write-behind.ts';

interface Write {
  readonly position: number;
  readonly chunks: number;
  readonly bytes: number;
  readonly done: PromiseWithResolvers<void>;
}

/** So many bytes that they are worth a write of their own. */
const much = 256 * 1024;

let writes: Write[];
let ends: number[];
let behind: WriteBehind;

beforeEach(() => {
  writes = [];
  ends = [];
  const partial: Pick<PartialBlob, 'write'> = {
    write: async (chunks, position) => {
      const done = Promise.withResolvers<void>();
      const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
      writes.push({ position, chunks: chunks.length, bytes, done });
      await done.promise;
    },
  };
  behind = new WriteBehind(partial as PartialBlob, (end) => ends.push(end));
});

function push(length: number, position: number): void {
  behind.push(new Uint8Array(length), position);
}

function shapes(): unknown[] {
  return writes.map(({ position, chunks, bytes }) => [position, chunks, bytes]);
}

async function finish(write: number): Promise<void> {
  writes[write]?.done.resolve();
  await turn();
}

it('writes one at a time, and all that came meanwhile together', async () => {
  push(much, 0);
  push(much, much);
  push(much, 2 * much);
  expect(shapes()).toEqual([[0, 1, much]]);
  await finish(0);
  expect(shapes()).toEqual([
    [0, 1, much],
    [much, 2, 2 * much],
  ]);
  expect([ends, behind.bytes]).toEqual([[much], 2 * much]);
  await finish(1);
  expect([ends, behind.bytes]).toEqual([[much, 3 * much], 0]);
});

it('writes what does not follow by itself', async () => {
  push(much, 0);
  push(much, much);
  push(much, 9 * much);
  await finish(0);
  await finish(1);
  expect(shapes()).toEqual([
    [0, 1, much],
    [much, 1, much],
    [9 * much, 1, much],
  ]);
});

it('hands over at most 256 chunks at a time', async () => {
  push(much, 0);
  for (let at = 0; at < 599; at += 1) push(1, much + at);
  const idle = behind.idle();
  for (let write = 0; write < 4; write += 1) await finish(write);
  await idle;
  expect(writes.map(({ chunks }) => chunks)).toEqual([1, 256, 256, 87]);
});

it('makes its caller wait for room', async () => {
  push(much, 0);
  push(much, much);
  let free = false;
  const room = behind.room(much).then(() => {
    free = true;
  });
  await turn();
  expect(free).toBe(false);
  await finish(0);
  await room;
  await behind.room(much);
});

it('is idle when all is written, also what is little', async () => {
  await behind.idle();
  push(much, 0);
  push(10, much);
  let idle = false;
  const waiting = behind.idle().then(() => {
    idle = true;
  });
  await finish(0);
  expect(idle).toBe(false);
  await finish(1);
  await waiting;
  expect(behind.bytes).toBe(0);
});

it('writes nothing more after a failure, and says why', async () => {
  push(much, 0);
  push(much, much);
  const room = behind.room(0);
  writes[0]?.done.reject(new Error('no space'));
  await Promise.all([room, behind.idle()]);
  push(much, 2 * much);
  await behind.idle();
  expect(behind.error).toMatchObject({ message: 'no space' });
  expect([shapes(), ends]).toEqual([[[0, 1, much]], []]);
});

it('holds little back until somebody flushes', async () => {
  push(10, 0);
  push(10, 10);
  await turn();
  expect([shapes(), behind.bytes]).toEqual([[], 20]);
  behind.flush();
  expect(shapes()).toEqual([[0, 2, 20]]);
  push(10, 20);
  await finish(0);
  await finish(1);
  expect([shapes(), behind.bytes]).toEqual([
    [
      [0, 2, 20],
      [20, 1, 10],
    ],
    0,
  ]);
  behind.flush();
  push(10, 30);
  await turn();
  expect(writes).toHaveLength(2);
});
