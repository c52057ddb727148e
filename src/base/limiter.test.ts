import { describe, expect, it } from 'vitest';
import { Limiter, OverloadedError } from './limiter.ts';

function gate() {
  const end = Promise.withResolvers<string>();
  return { end, work: async (): Promise<string> => end.promise };
}

const unexpected = async (): Promise<never> => Promise.reject(new Error('must not run'));

describe('Limiter', () => {
  it('runs so many at once, lets so many wait, and turns the rest away', async () => {
    const limiter = new Limiter({ name: 'fills', concurrency: 2, maxQueued: 1 });
    const gates = [gate(), gate(), gate()];
    const runs = gates.map(async ({ work }) => limiter.run(work));
    expect([limiter.running, limiter.queued]).toEqual([2, 1]);
    const refused = limiter.run(unexpected);
    await expect(refused).rejects.toThrow(OverloadedError);
    await expect(refused).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: 'fills: 1 are waiting already',
    });
    for (const [index, { end }] of gates.entries()) end.resolve(`done ${index}`);
    expect(await Promise.all(runs)).toEqual(['done 0', 'done 1', 'done 2']);
    expect([limiter.running, limiter.queued]).toEqual([0, 0]);
  });

  it('admits work with no queue at all while a slot is free', async () => {
    const limiter = new Limiter({ name: 'scrub', concurrency: 1, maxQueued: 0 });
    const { end, work } = gate();
    const run = limiter.run(work);
    await expect(limiter.run(unexpected)).rejects.toThrow(OverloadedError);
    end.resolve('first');
    await run;
    expect(await limiter.run(async () => Promise.resolve('second'))).toBe('second');
  });

  it('gives up the place of a caller who leaves the queue', async () => {
    const limiter = new Limiter({ name: 'fills', concurrency: 1, maxQueued: 1 });
    const { end, work } = gate();
    const running = limiter.run(work);
    const leaver = new AbortController();
    const waiting = limiter.run(unexpected, leaver.signal);
    leaver.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    expect(limiter.queued).toBe(0);
    end.resolve('ok');
    expect(await running).toBe('ok');
  });

  it('keeps the slot taken until aborted work has ended', async () => {
    const limiter = new Limiter({ name: 'fills', concurrency: 1, maxQueued: 1 });
    const caller = new AbortController();
    const { end, work } = gate();
    const run = limiter.run(work, caller.signal);
    caller.abort(new Error('gone'));
    await Promise.resolve();
    expect(limiter.running).toBe(1);
    end.resolve('finished anyway');
    expect(await run).toBe('finished anyway');
  });

  it('rejects an aborted caller without queueing', async () => {
    const limiter = new Limiter({ name: 'fills', concurrency: 1, maxQueued: 1 });
    await expect(limiter.run(unexpected, AbortSignal.abort(new Error('early')))).rejects.toThrow('early');
    expect([limiter.running, limiter.queued]).toEqual([0, 0]);
  });

  it('passes on the error of the work and frees the slot', async () => {
    const limiter = new Limiter({ name: 'fills', concurrency: 1, maxQueued: 0 });
    await expect(limiter.run(async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(limiter.running).toBe(0);
  });
});
