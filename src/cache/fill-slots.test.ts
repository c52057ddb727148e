import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { OverloadedError } from '../base/limiter.ts';
import { FillSlots } from './fill-slots.ts';

const never = new AbortController().signal;
let slots: FillSlots;
let running: string[];
let finishers: Map<string, () => void>;

beforeEach(() => {
  slots = new FillSlots({ maxFills: 3, maxQueued: 2, maxFillsOf: (name) => (name === 'slow' ? 1 : 2) });
  running = [];
  finishers = new Map();
});

async function start(upstream: string, name: string, signal = never): Promise<string> {
  return slots.run(
    upstream,
    async () => {
      running.push(name);
      await new Promise<void>((resolve) => finishers.set(name, resolve));
      return name;
    },
    signal,
  );
}

it('runs as many as an upstream may have, and the next one in its place', async () => {
  const fills = ['a', 'b', 'c'].map(async (name) => start('quick', name));
  await turn();
  expect(running).toEqual(['a', 'b']);
  finishers.get('a')?.();
  expect(await fills[0]).toBe('a');
  await turn();
  expect(running).toEqual(['a', 'b', 'c']);
});

it('runs as many as there may be in all', async () => {
  for (const [upstream, name] of [
    ['one', 'a'],
    ['one', 'b'],
    ['two', 'c'],
    ['two', 'd'],
  ] as const)
    void start(upstream, name);
  await turn();
  expect(running).toEqual(['a', 'b', 'c']);
  finishers.get('b')?.();
  await turn();
  expect(running).toEqual(['a', 'b', 'c', 'd']);
});

it('a slow upstream holds no place of the others', async () => {
  for (const name of ['s1', 's2', 's3']) void start('slow', name);
  for (const name of ['q1', 'q2']) void start('quick', name);
  await turn();
  expect(running).toEqual(['s1', 'q1', 'q2']);
});

it('turns away what would wait behind too many', async () => {
  for (const name of ['s1', 's2', 's3']) void start('slow', name);
  await turn();
  await expect(start('slow', 's4')).rejects.toBeInstanceOf(OverloadedError);
});

it('gives up a place in the queue with its signal', async () => {
  void start('slow', 's1');
  const abort = new AbortController();
  const waiting = start('slow', 's2', abort.signal);
  await turn();
  abort.abort(new Error('left'));
  await expect(waiting).rejects.toThrow('left');
  finishers.get('s1')?.();
  await turn();
  expect(running).toEqual(['s1']);
});

it('a failure frees its place', async () => {
  const failing = slots.run('slow', async () => Promise.reject(new Error('broken')), never);
  await expect(failing).rejects.toThrow('broken');
  void start('slow', 's2');
  await turn();
  expect(running).toEqual(['s2']);
});
