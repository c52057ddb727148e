import { describe, expect, it } from 'vitest';
import { Lifecycle, type Component } from './lifecycle.ts';
import { silentLogger } from './logger.ts';
import { ManualClock } from './manual-clock.ts';

function fixture() {
  const clock = new ManualClock();
  const seen: string[] = [];
  const logged: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void logged.push(message) };
  const lifecycle = new Lifecycle({ clock, logger, abandonAfterMs: 1_000 });
  const add = (name: string, parts: Partial<Component> = {}): void =>
    lifecycle.add({
      name,
      start: () => void seen.push(`+${name}`),
      stop: () => void seen.push(`-${name}`),
      ...parts,
    });
  return { clock, seen, logged, lifecycle, add };
}

const fail = (message: string) => async (): Promise<never> => Promise.reject(new Error(message));

describe('Lifecycle', () => {
  it('starts in order and stops in reverse', async () => {
    const { lifecycle, add, seen, clock } = fixture();
    for (const name of ['store', 'cache', 'listener']) add(name);
    await lifecycle.start();
    expect(await lifecycle.stop(1_000)).toEqual([]);
    expect(seen).toEqual(['+store', '+cache', '+listener', '-listener', '-cache', '-store']);
    expect(clock.waiting).toBe(0);
  });

  it('stops what was started when a later one fails, and fails with its error', async () => {
    const { lifecycle, add, seen } = fixture();
    add('store');
    add('cache', { start: fail('no disk') });
    add('listener');
    await expect(lifecycle.start()).rejects.toThrow('no disk');
    expect(seen).toEqual(['+store', '-store']);
  });

  it('goes on stopping after an error, logs it and hands it back', async () => {
    const { lifecycle, add, seen, logged } = fixture();
    add('store');
    add('cache', { stop: fail('stuck') });
    await lifecycle.start();
    expect((await lifecycle.stop(1_000)).map((error) => error.message)).toEqual(['stuck']);
    expect(seen).toContain('-store');
    expect(logged).toEqual(['component did not stop cleanly']);
  });

  it('leaves a component behind that is still stopping at the deadline', async () => {
    const { lifecycle, add, seen, clock } = fixture();
    add('store');
    add('listener', { stop: () => new Promise<void>(() => undefined) });
    await lifecycle.start();
    const stopping = lifecycle.stop(1_000);
    await clock.advance(1_000);
    expect((await stopping).map((error) => error.message)).toEqual([
      'listener was still stopping at the deadline',
    ]);
    expect(seen).toEqual(['+store', '+listener', '-store']);
  });

  it('tells a slow component when the time is over, and takes its end then', async () => {
    const { lifecycle, add, clock } = fixture();
    add('listener', {
      stop: (hurry) => new Promise((resolve) => hurry.addEventListener('abort', () => resolve())),
    });
    await lifecycle.start();
    const stopping = lifecycle.stop(500);
    await clock.advance(500);
    expect(await stopping).toEqual([]);
  });

  it('starts nothing more when it is stopped while starting', async () => {
    const { lifecycle, add, seen } = fixture();
    const slow = Promise.withResolvers<void>();
    add('store', { start: () => slow.promise });
    add('listener');
    const starting = lifecycle.start();
    const stopping = lifecycle.stop(1_000);
    slow.resolve();
    await expect(starting).rejects.toThrow('stopped while starting');
    await stopping;
    expect(seen).toEqual(['-store']);
  });

  it('stops once, however often it is asked', async () => {
    const { lifecycle, add, seen } = fixture();
    add('store');
    await lifecycle.start();
    await Promise.all([lifecycle.stop(10), lifecycle.stop(10)]);
    await lifecycle.stop(10);
    expect(seen).toEqual(['+store', '-store']);
  });
});
