import { expect, test } from 'vitest';
import { BodyQueue } from './body-queue.ts';

function setUp(): { queue: BodyQueue; events: string[] } {
  const events: string[] = [];
  const source = {
    pause: () => events.push('pause'),
    resume: () => events.push('resume'),
    destroy: () => events.push('destroy'),
  };
  const queue = new BodyQueue(source, { maxBufferedBytes: 10, onClose: () => events.push('close') });
  return { queue, events };
}

test('hands out the very chunks, in order, and closes once', async () => {
  const { queue, events } = setUp();
  const chunks = [Buffer.from('abc'), Buffer.from('de')];
  for (const chunk of chunks) queue.push(chunk);
  queue.end();
  const read: Uint8Array[] = [];
  for await (const chunk of queue) read.push(chunk);
  expect(read.every((chunk, at) => chunk === chunks[at])).toBe(true);
  expect(events).toEqual(['close']);
});

test('pauses when too much waits, and resumes when all is read', async () => {
  const { queue, events } = setUp();
  const reader = queue[Symbol.asyncIterator]();
  queue.push(Buffer.alloc(6));
  queue.push(Buffer.alloc(6));
  queue.push(Buffer.alloc(6));
  expect(events).toEqual(['pause']);
  for (let count = 0; count < 3; count += 1) await reader.next();
  expect(events).toEqual(['pause']);
  const next = reader.next();
  expect(events).toEqual(['pause', 'resume']);
  queue.push(Buffer.from('x'));
  expect(await next).toMatchObject({ value: Buffer.from('x') });
});

test('delivers what came before a failure', async () => {
  const { queue } = setUp();
  const reader = queue[Symbol.asyncIterator]();
  queue.push(Buffer.from('a'));
  queue.fail(new Error('cut'));
  expect(await reader.next()).toMatchObject({ done: false });
  await expect(reader.next()).rejects.toThrow('cut');
});

test('a reader that leaves ends the connection', async () => {
  const { queue, events } = setUp();
  queue.push(Buffer.from('a'));
  for await (const _ of queue) break;
  expect(events).toEqual(['close', 'destroy']);
});

test('a body that is not wanted runs out when it is small, and ends the connection when it is not', () => {
  const { queue, events } = setUp();
  queue.discard();
  queue.push(Buffer.alloc(1000));
  queue.end();
  expect(events).toEqual(['close']);
  const large = setUp();
  large.queue.discard();
  large.queue.push(Buffer.alloc(70_000));
  expect(large.events).toEqual(['close', 'destroy']);
});
