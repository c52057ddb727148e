import { Limiter } from '../../src/base/limiter.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { ManualClock } from '../../src/base/manual-clock.ts';
import type { BlobStore } from '../../src/blob/blob-store.ts';
import type { ByteSource } from '../../src/blob/byte-source.ts';
import { MemoryBlobStore } from '../../src/blob/memory-blob-store.ts';
import { BlobFills } from '../../src/cache/blob-fills.ts';
import { FillSlots } from '../../src/cache/fill-slots.ts';
import type { FillPolicy } from '../../src/cache/fill.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { ScriptedOrigin } from './scripted-origin.ts';

export interface FillBench {
  readonly fills: BlobFills;
  readonly blobs: BlobStore;
  readonly clock: ManualClock;
  readonly committed: Digest[];
  readonly corrupted: string[];
  readonly storageFailures: Error[];
}

export interface FillBenchOptions {
  readonly blobs?: BlobStore;
  readonly clock?: ManualClock;
  readonly policy?: Partial<FillPolicy>;
  readonly maxStoredBytes?: number;
  readonly maxPassThroughs?: number;
}

/** Fills over stores in memory and a clock that stands still, with everything that they report written down. */
export function fillBench(options: FillBenchOptions = {}): FillBench {
  const clock = options.clock ?? new ManualClock();
  const blobs = options.blobs ?? new MemoryBlobStore({ maxBytes: Infinity, clock });
  const committed: Digest[] = [];
  const corrupted: string[] = [];
  const storageFailures: Error[] = [];
  const fills = new BlobFills({
    blobs,
    clock,
    slots: new FillSlots({ maxFills: 8, maxQueued: 100, maxFillsOf: () => 8 }),
    ranges: new Limiter({ name: 'ranges', concurrency: 8, maxQueued: 100 }),
    random: () => 0,
    logger: silentLogger,
    policy: {
      unattended: 'half',
      lingerMs: 1_000,
      checkpointIntervalMs: 2_000,
      retry: { attempts: 4, firstMs: 100, maxMs: 1_000 },
      joinAheadBytes: 0,
      rangeAttempts: 3,
      ...options.policy,
    },
    maxPassThroughs: options.maxPassThroughs ?? 8,
    storageRetryMs: 5_000,
    admits: (size) => size <= (options.maxStoredBytes ?? Infinity),
    started: () => undefined,
    committed: ({ assembly }) => committed.push(assembly.digest),
    corrupt: (origin) => corrupted.push(origin.upstream),
    storageFailed: (error) => storageFailures.push(error),
  });
  return { fills, blobs, clock, committed, corrupted, storageFailures };
}

/** Opens `[start, end)` of the origin's blob; without an end, to its end and verified. */
export async function openBlob(
  { fills }: FillBench,
  origin: ScriptedOrigin,
  start = 0,
  end?: number,
): Promise<ByteSource> {
  const size = origin.script.bytes.length;
  const whole = end === undefined;
  const span = { start, end: end ?? size };
  const { source } = await fills.open(origin.origin, { digest: origin.digest, size, span, whole });
  return source;
}

/** Reads to the end, or up to `maxBytes`, in steps of `stepBytes`; does not close. */
export async function readBytes(source: ByteSource, stepBytes: number, maxBytes = Infinity): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let total = 0; total < maxBytes;) {
    const into = Buffer.alloc(Math.min(stepBytes, maxBytes - total));
    const count = await source.read(into);
    if (count === 0) break;
    parts.push(into.subarray(0, count));
    total += count;
  }
  return Buffer.concat(parts);
}

export async function readAll(source: ByteSource, stepBytes = 4096): Promise<Buffer> {
  try {
    return await readBytes(source, stepBytes);
  } finally {
    await source.close();
  }
}
