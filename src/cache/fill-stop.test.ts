import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { fillBench, openBlob, readAll } from '../../test/fakes/fill-bench.ts';
import { patternBytes, ScriptedOrigin } from '../../test/fakes/scripted-origin.ts';
import { ManualClock } from '../base/manual-clock.ts';
import type { PartialBlob } from '../blob/blob-store.ts';
import { MemoryBlobStore } from '../blob/memory-blob-store.ts';
import type { Digest } from '../oci/digest.ts';

/** Commits when it is let, and writes down how each partial blob ended. */
class GatedStore extends MemoryBlobStore {
  readonly commit = Promise.withResolvers<void>();
  readonly calls: string[] = [];

  override async openPartial(digest: Digest): Promise<PartialBlob> {
    const partial = await super.openPartial(digest);
    const { calls, commit } = this;
    return new Proxy(partial, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'commit' && name !== 'keep' && name !== 'discard' && name !== 'close')
          return value.bind(target) as unknown;
        return async () => {
          calls.push(name);
          if (name === 'commit') await commit.promise;
          await Reflect.apply(value, target, []);
        };
      },
    });
  }
}

it('stopping waits for a commit that has begun, and puts the file away', async () => {
  const clock = new ManualClock();
  const blobs = new GatedStore({ maxBytes: Infinity, clock });
  const bench = fillBench({ blobs, clock });
  const origin = new ScriptedOrigin({ bytes: patternBytes(1_000), chunkBytes: 100 });
  await readAll(await openBlob(bench, origin));
  for (let count = 0; count < 50; count += 1) await turn();
  expect(blobs.calls).toEqual(['commit']);

  let closed = false;
  const closing = bench.fills.close().then(() => {
    closed = true;
  });
  for (let count = 0; count < 50; count += 1) await turn();
  expect([closed, blobs.calls]).toEqual([false, ['commit']]);

  blobs.commit.resolve();
  await closing;
  expect(blobs.calls).toEqual(['commit', 'close']);
  expect(await blobs.stat(origin.digest)).toEqual({ size: 1_000 });
  expect(bench.committed).toEqual([origin.digest]);
});

it('stopping in the middle of a transfer keeps what has come', async () => {
  const clock = new ManualClock();
  const blobs = new GatedStore({ maxBytes: Infinity, clock });
  const bench = fillBench({ blobs, clock });
  const gate = Promise.withResolvers<void>();
  const origin = new ScriptedOrigin({
    bytes: patternBytes(1_000),
    chunkBytes: 100,
    gate: async (position) => (position >= 600 ? gate.promise : undefined),
  });
  const source = await openBlob(bench, origin);
  for (let count = 0; count < 50; count += 1) await turn();
  const reading = expect(readAll(source)).rejects.toMatchObject({ kind: 'unavailable' });
  const closing = bench.fills.close();
  await reading;
  gate.resolve();
  await closing;
  expect(blobs.calls).toEqual(['keep', 'close']);
});
