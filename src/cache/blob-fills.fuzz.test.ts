import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { fillBench, openBlob, readBytes, type FillBench } from '../../test/fakes/fill-bench.ts';
import { patternBytes, ScriptedOrigin, type OriginScript } from '../../test/fakes/scripted-origin.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { MemoryBlobStore } from '../blob/memory-blob-store.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';

/** One client: begins after `delay` turns, reads in steps, and may hang up early. */
interface Client {
  readonly delay: number;
  readonly start: number;
  /** `undefined`: to the end of the blob, verified. */
  readonly end: number | undefined;
  readonly stepBytes: number;
  readonly hangsUpAfter: number | undefined;
}

interface Weather {
  /** Positions at which answer number i breaks. */
  readonly cuts: readonly number[];
  /** Answers that carry one wrong byte. */
  readonly lies: readonly number[];
  readonly ignoresRanges: boolean;
  readonly chunkBytes: number;
  /** Turns after which the process dies without warning and starts again. */
  readonly crashes: readonly number[];
}

/** The long form is `npm run soak`. Failures are not shrunk: a seed and a path reproduce them at once. */
const numRuns = process.env['WHERRY_FULL_COUNTS'] === '1' ? 5_000 : 60;
const timeoutMs = numRuns * 200;

const size = 200_000;
const bytes = patternBytes(size, 7);

const position = fc.integer({ min: 0, max: size - 1 });
const client: fc.Arbitrary<Client> = fc
  .record({
    delay: fc.integer({ min: 0, max: 120 }),
    start: position,
    length: fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: undefined }),
    stepBytes: fc.integer({ min: 500, max: 80_000 }),
    hangsUpAfter: fc.option(fc.integer({ min: 0, max: size }), { nil: undefined, freq: 3 }),
  })
  .map(({ length, ...rest }) => ({
    ...rest,
    start: length === undefined && rest.start % 2 === 0 ? 0 : rest.start,
    end: length === undefined ? undefined : Math.min(size, rest.start + length),
  }));

const honest: fc.Arbitrary<Weather> = fc.record({
  cuts: fc.array(position, { maxLength: 4 }),
  lies: fc.constant([]),
  ignoresRanges: fc.constant(false),
  chunkBytes: fc.integer({ min: 1_000, max: 20_000 }),
  crashes: fc.constant([]),
});

const foul: fc.Arbitrary<Weather> = fc.record({
  cuts: fc.array(position, { maxLength: 4 }),
  lies: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 2 }),
  ignoresRanges: fc.boolean(),
  chunkBytes: fc.integer({ min: 1_000, max: 20_000 }),
  crashes: fc.array(fc.integer({ min: 5, max: 150 }), { maxLength: 3 }),
});

function scriptOf({ cuts, lies, ignoresRanges, chunkBytes }: Weather): OriginScript {
  return {
    bytes,
    chunkBytes,
    ignoresRanges,
    chunk: (at, right, answer) => {
      const cut = cuts[answer];
      if (cut !== undefined && at >= cut) return new UpstreamError('unavailable', 'cut');
      return lies.includes(answer) ? right.map((byte, index) => (index === 0 ? byte ^ 1 : byte)) : right;
    },
  };
}

async function turns(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await turn();
}

type Ending = 'whole' | 'hung up' | 'broken off';

/** Runs one client; a body that ended must be right, and so must every byte of an honest upstream. */
async function visit(bench: FillBench, origin: ScriptedOrigin, visitor: Client): Promise<Ending> {
  await turns(visitor.delay);
  const end = visitor.end ?? size;
  const wanted = Math.min(end - visitor.start, visitor.hangsUpAfter ?? Infinity);
  try {
    const source = await openBlob(bench, origin, visitor.start, visitor.end);
    try {
      const body = await readBytes(source, visitor.stepBytes, wanted);
      if (visitor.hangsUpAfter !== undefined && wanted < end - visitor.start) return 'hung up';
      if (visitor.end === undefined) expect(body.equals(bytes.subarray(visitor.start))).toBe(true);
      expect(body.length).toBe(end - visitor.start);
      return 'whole';
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'AssertionError') throw error;
    return 'broken off';
  }
}

/** Time passes in small steps until everybody is done. */
async function untilDone<Value>(clock: ManualClock, work: Promise<Value>): Promise<Value> {
  const state = { done: false };
  const result = work.finally(() => {
    state.done = true;
  });
  result.catch(() => undefined);
  for (let step = 0; step < 3_000 && !state.done; step += 1) {
    await turns(10);
    if (!state.done) await clock.advance(50);
  }
  expect(state.done).toBe(true);
  return result;
}

it(
  'each byte is read once from an upstream that breaks off, and every client gets the right ones',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(client, { minLength: 1, maxLength: 6 }), honest, async (clients, weather) => {
        const bench = fillBench({
          policy: { unattended: 'finish', retry: { attempts: 8, firstMs: 10, maxMs: 50 } },
        });
        const origin = new ScriptedOrigin(scriptOf(weather));
        await untilDone(bench.clock, Promise.all(clients.map(async (one) => visit(bench, origin, one))));
        await untilDone(bench.clock, readEverything(bench, origin));
        await bench.clock.advance(5_000);
        expect(bench.fills.running).toBe(0);
        expect(origin.openStreams).toBe(0);
        // A running transfer reads on through a small stretch that is here already, and ends with a whole chunk.
        const twice = origin.reads.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
        const ranges = clients.filter(({ end }) => end !== undefined).length;
        expect(twice).toBeLessThanOrEqual(size * 0.02 + ranges * weather.chunkBytes);
        if (ranges === 0) expect(twice).toBe(0);
      }),
      { numRuns, endOnFailure: true },
    );
  },
  timeoutMs,
);

it(
  'nobody ever gets a whole blob with a wrong byte, through lies, crashes and hang-ups',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(client, { minLength: 1, maxLength: 6 }), foul, async (clients, weather) => {
        const clock = new ManualClock();
        const origin = new ScriptedOrigin(scriptOf(weather));
        let store = new MemoryBlobStore({ maxBytes: Infinity, clock });
        let bench = fillBench({ blobs: store, clock });
        for (const crash of [...weather.crashes, undefined]) {
          const visits = Promise.all(clients.map(async (one) => visit(bench, origin, one)));
          visits.catch(() => undefined);
          if (crash === undefined) {
            await untilDone(clock, visits);
          } else {
            await turns(crash);
            await clock.advance(2_000);
            store = store.afterCrash();
            await untilDone(clock, visits); // of the process that is gone: they only finish what they can
            bench = fillBench({ blobs: store, clock });
          }
        }
        // However often it lied, once it tells the truth the blob comes whole: to the third pull at the latest, since the
        // first may join a download that is about to give up, and the second go on from what that one has kept.
        origin.script.chunk = (_at, right) => right;
        const pull = async (): Promise<void> => readEverything(bench, origin);
        await untilDone(clock, pull().catch(pull).catch(pull));
        await clock.advance(5_000);
        expect(bench.fills.running).toBe(0);
      }),
      { numRuns, endOnFailure: true },
    );
  },
  timeoutMs,
);

async function readEverything(bench: FillBench, origin: ScriptedOrigin): Promise<void> {
  const source = await openBlob(bench, origin);
  try {
    const body = await readBytes(source, 64_000);
    expect(body.equals(bytes)).toBe(true);
  } finally {
    await source.close();
  }
}
