import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { ManualClock } from '../base/manual-clock.ts';
import { MemoryContent, patternBytes } from './testing/memory-content.ts';
import { pumpSource, type ByteSink } from './source-pump.ts';
import { largeBufferBytes, TransferBuffers } from './transfer-buffers.ts';

const [KiB, MiB] = [1024, 1024 * 1024];

function rig(content: MemoryContent, onWrite: (bytes: Uint8Array) => Promise<void> | void = () => undefined) {
  const clock = new ManualClock();
  const buffers = new TransferBuffers(4 * MiB);
  const written: Buffer[] = [];
  const sink: ByteSink = {
    write: async (bytes) => {
      await onWrite(bytes);
      // Copied only now: a buffer that is used again too early shows as wrong bytes.
      written.push(Buffer.from(bytes));
    },
  };
  const run = async (): Promise<void> => {
    const source = await content.open({ kind: 'whole' });
    await pumpSource(source, sink, { buffers, clock });
  };
  return { clock, buffers, run, written };
}

test('every byte arrives in order, however reads are cut and writes delayed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 700 * KiB }),
      fc.integer({ min: 1, max: 40 }),
      async (length, parts) => {
        const content = new MemoryContent(patternBytes(length));
        content.maxRead = Math.ceil(length / parts);
        let turns = 0;
        const { run, buffers, written } = rig(content, async () => {
          for (turns = (turns * 7 + 3) % 5; turns > 0; turns -= 1) await Promise.resolve();
        });
        await run();
        expect(Buffer.concat(written).equals(content.bytes)).toBe(true);
        expect(buffers.lentBytes).toBe(0);
      },
    ),
    { numRuns: 40 },
  );
});

test('a reader that keeps up gets large buffers', async () => {
  const { run, written } = rig(new MemoryContent(patternBytes(4 * MiB)));
  await run();
  const sizes = written.map((bytes) => bytes.length);
  expect(sizes.slice(0, 4)).toEqual([64 * KiB, 64 * KiB, 64 * KiB, 64 * KiB]);
  expect(Math.max(...sizes)).toBe(largeBufferBytes);
});

test('a slow reader keeps to one small buffer', async () => {
  let most = 0;
  const content = new MemoryContent(patternBytes(MiB));
  const { clock, run, buffers, written } = rig(content, () => clock.sleep(100));
  content.beforeRead = (position) => {
    if (position > 128 * KiB) most = Math.max(most, buffers.lentBytes);
  };
  const running = run();
  while (written.length < 16) await clock.advance(100);
  await running;
  expect(most).toBe(64 * KiB);
});

test('the next bytes are read while the last ones are being written', async () => {
  const content = new MemoryContent(patternBytes(128 * KiB));
  const reads: number[] = [];
  content.beforeRead = (position) => void reads.push(position);
  const stuck = Promise.withResolvers<void>();
  const { clock, run } = rig(content, () => stuck.promise);
  const running = run();
  await clock.advance(0);
  expect(reads).toEqual([0, 64 * KiB]);
  stuck.resolve();
  await running;
});

describe('failures', () => {
  test('a source that fails', async () => {
    const content = new MemoryContent(patternBytes(512 * KiB));
    const fault = new Error('disk');
    content.beforeRead = (position) => {
      if (position >= 256 * KiB) throw fault;
    };
    const { run, buffers } = rig(content);
    await expect(run()).rejects.toBe(fault);
    expect(buffers.lentBytes).toBe(0);
  });

  test('a source that ends early', async () => {
    const content = new MemoryContent(patternBytes(100 * KiB));
    const { run, written } = rig(content);
    content.beforeRead = (position) => {
      if (position > 0) content.maxRead = 0;
    };
    await expect(run()).rejects.toMatchObject({ code: 'SHORT_SOURCE' });
    expect(Buffer.concat(written).length).toBeLessThan(100 * KiB);
  });

  test('a sink that fails while a read is pending', async () => {
    const content = new MemoryContent(patternBytes(512 * KiB));
    const fault = new Error('gone');
    const pending = Promise.withResolvers<void>();
    content.beforeRead = (position) => (position === 0 ? undefined : pending.promise);
    const { clock, run, buffers } = rig(content, () => {
      throw fault;
    });
    const failed = expect(run()).rejects.toBe(fault);
    await clock.advance(0);
    pending.resolve();
    await failed;
    expect(buffers.lentBytes).toBe(0);
  });
});
