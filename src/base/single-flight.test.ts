import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SingleFlight } from './single-flight.ts';

function started(flights: SingleFlight<string, number>, callers: (AbortSignal | undefined)[]) {
  const calls: { signal: AbortSignal; end: PromiseWithResolvers<number> }[] = [];
  const work = async (signal: AbortSignal): Promise<number> => {
    const end = Promise.withResolvers<number>();
    calls.push({ signal, end });
    return end.promise;
  };
  const results = callers.map(async (signal) => flights.run('key', work, signal));
  for (const result of results) result.catch(() => undefined);
  return { calls, results, work };
}

const settle = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('SingleFlight', () => {
  it('runs once for all who ask meanwhile and says who joined', async () => {
    const flights = new SingleFlight<string, number>();
    const { calls, results } = started(flights, [undefined, undefined, undefined]);
    await settle();
    expect([calls.length, flights.size]).toEqual([1, 1]);
    calls[0]!.end.resolve(7);
    expect(await Promise.all(results)).toEqual([
      { value: 7, collapsed: false },
      { value: 7, collapsed: true },
      { value: 7, collapsed: true },
    ]);
    expect(flights.size).toBe(0);
  });

  it('gives everybody the same error', async () => {
    const flights = new SingleFlight<string, number>();
    const { calls, results } = started(flights, [undefined, undefined]);
    await settle();
    const error = new Error('upstream is away');
    calls[0]!.end.reject(error);
    const outcomes = await Promise.allSettled(results);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
      error,
      error,
    ]);
  });

  it('starts anew after the work settled', async () => {
    const flights = new SingleFlight<string, number>();
    let runs = 0;
    const work = async (): Promise<number> => {
      runs += 1;
      return runs;
    };
    expect((await flights.run('key', work)).value).toBe(1);
    expect(await flights.run('key', work)).toEqual({ value: 2, collapsed: false });
  });

  it('turns a synchronous throw into a rejection and frees the key', async () => {
    const flights = new SingleFlight<string, number>();
    const work = (): Promise<number> => {
      throw new Error('at once');
    };
    await expect(flights.run('key', work)).rejects.toThrow('at once');
    expect(flights.size).toBe(0);
  });

  it('lets one caller leave without hurting the others', async () => {
    const flights = new SingleFlight<string, number>();
    const leaver = new AbortController();
    const { calls, results } = started(flights, [leaver.signal, undefined]);
    await settle();
    leaver.abort(new Error('gone'));
    await expect(results[0]).rejects.toThrow('gone');
    expect(calls[0]!.signal.aborted).toBe(false);
    calls[0]!.end.resolve(3);
    expect((await results[1]!).value).toBe(3);
  });

  it('aborts the work and frees the key when the last caller left', async () => {
    const flights = new SingleFlight<string, number>();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = started(flights, [one.signal, two.signal]);
    await settle();
    one.abort(new Error('one'));
    two.abort(new Error('two'));
    expect([first.calls[0]!.signal.aborted, flights.size]).toEqual([true, 0]);

    const second = started(flights, [undefined]);
    await settle();
    first.calls[0]!.end.reject(new Error('late end of the abandoned work'));
    await settle();
    expect([second.calls.length, flights.size]).toEqual([1, 1]);
    second.calls[0]!.end.resolve(9);
    expect((await second.results[0]!).value).toBe(9);
  });

  it('rejects a caller whose signal has aborted before, without starting', async () => {
    const flights = new SingleFlight<string, number>();
    const { calls, results } = started(flights, [AbortSignal.abort(new Error('early'))]);
    await expect(results[0]).rejects.toThrow('early');
    expect([calls.length, flights.size]).toEqual([0, 0]);
  });

  it('keeps keys apart', async () => {
    const flights = new SingleFlight<string, string>();
    const answers = await Promise.all(
      ['a', 'b'].map(async (key) => flights.run(key, async () => Promise.resolve(key))),
    );
    expect(answers).toEqual([
      { value: 'a', collapsed: false },
      { value: 'b', collapsed: false },
    ]);
  });

  it('never runs more than one live work a key, whoever comes and goes', async () => {
    const step = fc.constantFrom('join', 'leave', 'succeed', 'fail');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const flights = new SingleFlight<string, number>();
        const calls: { signal: AbortSignal; end: PromiseWithResolvers<number>; ended: boolean }[] = [];
        const waiting: AbortController[] = [];
        for (const next of steps) {
          const live = calls.filter((call) => !call.signal.aborted && !call.ended);
          expect(live.length).toBeLessThanOrEqual(1);
          expect(flights.size).toBe(live.length);
          if (next === 'join') {
            const caller = new AbortController();
            waiting.push(caller);
            const work = async (signal: AbortSignal): Promise<number> => {
              const call = { signal, end: Promise.withResolvers<number>(), ended: false };
              calls.push(call);
              return call.end.promise;
            };
            flights.run('key', work, caller.signal).catch(() => undefined);
          } else if (next === 'leave') {
            waiting.pop()?.abort(new Error('left'));
          } else {
            const call = live[0];
            if (call === undefined) continue;
            call.ended = true;
            waiting.length = 0;
            if (next === 'succeed') call.end.resolve(1);
            else call.end.reject(new Error('failed'));
          }
          await settle();
        }
      }),
      { numRuns: 60 },
    );
  });
});
