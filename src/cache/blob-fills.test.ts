import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { fillBench, openBlob, readAll, readBytes, type FillBench } from '../../test/fakes/fill-bench.ts';
import { patternBytes, ScriptedOrigin } from '../../test/fakes/scripted-origin.ts';
import { MemoryBlobStore } from '../blob/memory-blob-store.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';

const size = 300_000;
const bytes = patternBytes(size);
const cut = new UpstreamError('unavailable', 'connection reset');

async function settle(): Promise<void> {
  for (let count = 0; count < 50; count += 1) await turn();
}

async function storedBytes({ blobs }: FillBench, origin: ScriptedOrigin): Promise<Buffer | undefined> {
  const source = await blobs.open(origin.digest);
  return source === undefined ? undefined : readAll(source);
}

/** Lets time pass in small steps, as long as that changes something, until `promise` settles. */
async function whileTimePasses<Value>({ clock }: FillBench, promise: Promise<Value>): Promise<Value> {
  const state = { settled: false };
  const done = promise.finally(() => {
    state.settled = true;
  });
  done.catch(() => undefined);
  for (let step = 0; step < 2_000 && !state.settled; step += 1) {
    await settle();
    if (!state.settled) await clock.advance(100);
  }
  return done;
}

describe('a fill', () => {
  it('is one plain GET, read once, and ends in the store', async () => {
    const bench = fillBench();
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000 });
    expect(await readAll(await openBlob(bench, origin))).toEqual(Buffer.from(bytes));
    await settle();
    expect(origin.gets).toEqual([undefined]);
    expect(await storedBytes(bench, origin)).toEqual(Buffer.from(bytes));
    expect(bench.committed).toEqual([origin.digest]);
    expect(bench.fills.running).toBe(0);
  });

  it('serves many readers at any offset from one GET', async () => {
    const bench = fillBench();
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000 });
    const starts = [0, 0, 1, 99_999, size - 1, 150_000];
    const bodies = await Promise.all(
      starts.map(async (start) => readAll(await openBlob(bench, origin, start), 777 + start)),
    );
    starts.forEach((start, index) => expect(bodies[index]).toEqual(Buffer.from(bytes.subarray(start))));
    expect(origin.gets).toEqual([undefined]);
  });

  it('serves what has arrived while the rest is still coming', async () => {
    const bench = fillBench();
    const gate = Promise.withResolvers<void>();
    const origin = new ScriptedOrigin({
      bytes,
      chunkBytes: 10_000,
      gate: async (position) => (position >= 100_000 ? gate.promise : undefined),
    });
    const source = await openBlob(bench, origin);
    expect(await readBytes(source, 5_000, 100_000)).toEqual(Buffer.from(bytes.subarray(0, 100_000)));
    gate.resolve();
    expect(await readAll(source)).toEqual(Buffer.from(bytes.subarray(100_000)));
  });

  it('holds the last bytes back until the digest has passed', async () => {
    const bench = fillBench();
    const last = Promise.withResolvers<void>();
    const origin = new ScriptedOrigin({
      bytes,
      chunkBytes: 10_000,
      gate: async (position) => (position === 290_000 ? last.promise : undefined),
    });
    const source = await openBlob(bench, origin);
    const early = await readBytes(source, 4_096, size - 65_536);
    expect(early.length).toBe(size - 65_536);
    let more = false;
    const next = readAll(source).then((rest) => {
      more = true;
      return rest;
    });
    await settle();
    expect(more).toBe(false);
    last.resolve();
    expect((await next).length).toBe(65_536);
  });

  it.each([0, 1, 2, 65_535, 65_536, 65_537])('brings a blob of %i bytes', async (length) => {
    const bench = fillBench();
    const origin = new ScriptedOrigin({ bytes: patternBytes(length), chunkBytes: 1_000 });
    expect((await readAll(await openBlob(bench, origin))).length).toBe(length);
    await settle();
    expect(bench.committed).toEqual([origin.digest]);
  });

  it('learns the length from an upstream that tells none', async () => {
    const bench = fillBench();
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000, hidesSize: true });
    expect(await bench.fills.prove(origin.origin, origin.digest)).toBe(size);
    await settle();
    expect(bench.committed).toEqual([origin.digest]);
  });

  it('proves a repository only by its own answer', async () => {
    const bench = fillBench();
    const gate = Promise.withResolvers<void>();
    const allowed = new ScriptedOrigin(
      { bytes, chunkBytes: 10_000, gate: async () => gate.promise },
      'team/allowed',
    );
    const denied = new ScriptedOrigin(
      { bytes, chunkBytes: 10_000, refuse: () => new UpstreamError('denied', 'no') },
      'team/denied',
    );
    const proven = bench.fills.prove(allowed.origin, allowed.digest);
    const refused = bench.fills.prove(denied.origin, denied.digest);
    await expect(refused).rejects.toMatchObject({ kind: 'denied' });
    gate.resolve();
    expect(await proven).toBe(size);
    expect(denied.gets).toEqual([]);
  });

  it('asks another repository that holds the blob when the first refuses', async () => {
    const bench = fillBench();
    const refusing = new ScriptedOrigin(
      { bytes, chunkBytes: 10_000, refuse: () => new UpstreamError('absent', 'gone') },
      'team/one',
    );
    const other = new ScriptedOrigin({ bytes, chunkBytes: 10_000 }, 'team/two');
    const sources = await Promise.all([openBlob(bench, refusing), openBlob(bench, other)]);
    for (const source of sources) expect(await readAll(source)).toEqual(Buffer.from(bytes));
  });
});

describe('an upstream that fails', () => {
  it('is resumed where it broke off, each byte read once', async () => {
    const bench = fillBench();
    const origin = new ScriptedOrigin({
      bytes,
      chunkBytes: 10_000,
      chunk: (position, right, answer) => (answer < 3 && position >= (answer + 1) * 70_000 ? cut : right),
    });
    const body = whileTimePasses(
      bench,
      openBlob(bench, origin).then((source) => readAll(source)),
    );
    expect(await body).toEqual(Buffer.from(bytes));
    expect(origin.gets.map((span) => span?.start)).toEqual([undefined, 70_000, 140_000, 210_000]);
    expect(origin.reads.every((count) => count === 1)).toBe(true);
  });

  it('breaks the transfer off when it stays away, and keeps what came for the next pull', async () => {
    const bench = fillBench();
    let away = true;
    const origin = new ScriptedOrigin({
      bytes,
      chunkBytes: 10_000,
      refuse: (answer) => (answer > 0 && away ? cut : undefined),
      chunk: (position, right) => (away && position >= 100_000 ? cut : right),
    });
    const body = whileTimePasses(
      bench,
      openBlob(bench, origin).then((source) => readAll(source)),
    );
    await expect(body).rejects.toThrow('connection reset');
    await settle();
    away = false;
    expect(await readAll(await openBlob(bench, origin))).toEqual(Buffer.from(bytes));
    expect(origin.gets.at(-1)).toEqual({ start: 100_000, end: size });
    expect(origin.reads.every((count) => count === 1)).toBe(true);
  });

  it('fails at once when nothing has come yet', async () => {
    const bench = fillBench();
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000, refuse: () => cut });
    await expect(readAll(await openBlob(bench, origin))).rejects.toThrow('connection reset');
    expect(origin.gets.length).toBe(1);
  });

  it('that sends wrong bytes of the right length never ends a transfer and leaves nothing behind', async () => {
    const bench = fillBench();
    let lies = true;
    const origin = new ScriptedOrigin({
      bytes,
      chunkBytes: 10_000,
      chunk: (position, right) => (lies && position === 200_000 ? right.map((byte) => byte ^ 1) : right),
    });
    const source = await openBlob(bench, origin);
    const early = await readBytes(source, 4_096, size - 65_536);
    expect(early.length).toBe(size - 65_536);
    await expect(readAll(source)).rejects.toThrow('do not match');
    await settle();
    expect(bench.corrupted).toEqual(['docker.io']);
    expect(await storedBytes(bench, origin)).toBeUndefined();
    lies = false;
    expect(await readAll(await openBlob(bench, origin))).toEqual(Buffer.from(bytes));
    expect(origin.gets).toEqual([undefined, undefined]);
  });

  it('that sends less or more than it says is refused', async () => {
    const bench = fillBench();
    const longer = new ScriptedOrigin({ bytes: patternBytes(size + 1), chunkBytes: 10_000 });
    const { source } = await bench.fills.open(longer.origin, {
      digest: longer.digest,
      size,
      span: { start: 0, end: size },
      whole: true,
    });
    await expect(readAll(source)).rejects.toMatchObject({ kind: 'malformed' });
  });

  it('gives resumed bytes that turn out wrong a second chance from zero', async () => {
    const clockless = fillBench();
    let first = true;
    const origin = new ScriptedOrigin({
      bytes,
      chunkBytes: 10_000,
      chunk: (position, right, answer) => {
        if (answer === 0 && position === 50_000) return right.map((byte) => byte ^ 1);
        if (answer === 0 && position >= 100_000 && first) return cut;
        return right;
      },
    });
    const body = whileTimePasses(
      clockless,
      openBlob(clockless, origin).then((source) => readAll(source)),
    );
    await expect(body).rejects.toThrow('turned out to be wrong');
    first = false;
    await settle();
    expect(await storedBytes(clockless, origin)).toEqual(Buffer.from(bytes));
    expect(origin.gets).toEqual([undefined, { start: 100_000, end: size }, undefined]);
  });
});

describe('readers that leave', () => {
  const leaveAfter = async (
    readBefore: number,
    unattended: 'finish' | 'half' | 'stop',
  ): Promise<FillBench & { origin: ScriptedOrigin }> => {
    const bench = fillBench({ policy: { unattended } });
    const gate = Promise.withResolvers<void>();
    const origin = new ScriptedOrigin({
      bytes,
      chunkBytes: 10_000,
      gate: async (position) => (position >= readBefore ? gate.promise : undefined),
    });
    const source = await openBlob(bench, origin);
    await readBytes(source, 4_096, Math.min(readBefore, size - 65_536));
    await settle();
    await source.close();
    await bench.clock.advance(1_000);
    gate.resolve();
    await settle();
    return { ...bench, origin };
  };

  it.each([
    ['finish', 30_000, true],
    ['half', 30_000, false],
    ['half', 160_000, true],
    ['stop', 160_000, false],
  ] as const)('policy %s with %i bytes here: finished %s', async (unattended, readBefore, finished) => {
    const bench = await leaveAfter(readBefore, unattended);
    expect(bench.committed.length === 1).toBe(finished);
    expect(bench.fills.running).toBe(0);
    expect(bench.origin.openStreams).toBe(0);
    if (finished) return;
    expect(await readAll(await openBlob(bench, bench.origin))).toEqual(Buffer.from(bytes));
    expect(bench.origin.gets.at(-1)?.start).toBeGreaterThanOrEqual(readBefore);
    expect(bench.origin.reads.every((count) => count === 1)).toBe(true);
  });

  it('and come back within a moment find the same fill', async () => {
    const bench = fillBench({ policy: { unattended: 'stop' } });
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000 });
    for (let start = 0; start < 200_000; start += 50_000) {
      const source = await openBlob(bench, origin, start);
      await readBytes(source, 4_096, 50_000);
      await source.close();
    }
    expect(await readAll(await openBlob(bench, origin))).toEqual(Buffer.from(bytes));
    expect(origin.gets).toEqual([undefined]);
  });
});

describe('ranges', () => {
  it('are fetched alone, once, and never again by the fill', async () => {
    const bench = fillBench();
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000 });
    const slice = readAll(await openBlob(bench, origin, 200_000, 220_000));
    const same = readAll(await openBlob(bench, origin, 205_000, 215_000));
    expect(await slice).toEqual(Buffer.from(bytes.subarray(200_000, 220_000)));
    expect(await same).toEqual(Buffer.from(bytes.subarray(205_000, 215_000)));
    expect(origin.gets).toEqual([{ start: 200_000, end: 220_000 }]);
    expect(await readAll(await openBlob(bench, origin))).toEqual(Buffer.from(bytes));
    await settle();
    expect(bench.committed).toEqual([origin.digest]);
    expect(origin.reads.every((count) => count === 1)).toBe(true);
  });

  it('that cover the blob make it whole without another byte', async () => {
    const bench = fillBench();
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000 });
    for (let start = 0; start < size; start += 100_000) {
      await readAll(await openBlob(bench, origin, start, start + 100_000));
    }
    await bench.clock.advance(1_000);
    await settle();
    expect(bench.committed).toEqual([origin.digest]);
    expect(origin.reads.every((count) => count === 1)).toBe(true);
  });

  it('of an upstream that ignores them become the fill', async () => {
    const bench = fillBench();
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000, ignoresRanges: true });
    const slice = readAll(await openBlob(bench, origin, 200_000, 220_000));
    expect(await slice).toEqual(Buffer.from(bytes.subarray(200_000, 220_000)));
    expect(await readAll(await openBlob(bench, origin))).toEqual(Buffer.from(bytes));
    expect(origin.gets.length).toBe(1);
  });

  it('fail alone when the upstream is away, and the next one is tried anew', async () => {
    const bench = fillBench();
    let away = true;
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000, refuse: () => (away ? cut : undefined) });
    await expect(readAll(await openBlob(bench, origin, 0, 10))).rejects.toThrow('connection reset');
    away = false;
    expect(await readAll(await openBlob(bench, origin, 0, 10))).toEqual(Buffer.from(bytes.subarray(0, 10)));
  });
});

describe('a disk that is full', () => {
  it('before the first byte: the blob passes through, verified', async () => {
    const bench = fillBench({ maxStoredBytes: 1_000 });
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000 });
    expect(await readAll(await openBlob(bench, origin))).toEqual(Buffer.from(bytes));
    expect(await storedBytes(bench, origin)).toBeUndefined();
    expect(origin.openStreams).toBe(0);
  });

  it('in the middle: readers get the rest all the same', async () => {
    const bench = fillBench({ blobs: new MemoryBlobStore({ maxBytes: 120_000, clock: fillBench().clock }) });
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000 });
    const bodies = await Promise.all(
      [0, 50_000, 200_000].map(async (start) => readAll(await openBlob(bench, origin, start))),
    );
    [0, 50_000, 200_000].forEach((start, index) =>
      expect(bodies[index]).toEqual(Buffer.from(bytes.subarray(start))),
    );
    await settle();
    expect(bench.storageFailures.length).toBeGreaterThan(0);
    expect(bench.fills.running).toBe(0);
    expect(origin.openStreams).toBe(0);
  });

  it('wrong bytes that pass through never end a transfer', async () => {
    const bench = fillBench({ maxStoredBytes: 1_000 });
    const origin = new ScriptedOrigin({
      bytes,
      chunkBytes: 10_000,
      chunk: (position, right) => (position === 0 ? right.map((byte) => byte ^ 1) : right),
    });
    await expect(readAll(await openBlob(bench, origin))).rejects.toThrow('do not match');
  });

  it('more transfers than may pass through are turned away', async () => {
    const bench = fillBench({ maxStoredBytes: 1_000, maxPassThroughs: 1 });
    const origin = new ScriptedOrigin({ bytes, chunkBytes: 10_000 });
    const first = await openBlob(bench, origin);
    await expect(openBlob(bench, origin)).rejects.toMatchObject({ code: 'OVERLOADED' });
    await first.close();
    await (await openBlob(bench, origin)).close();
  });
});
