import { setTimeout as sleep } from 'node:timers/promises';
import { content, layerBytes } from '../fakes/images.ts';
import { FaultBench } from './fault-bench.ts';
import { pull } from './pull.ts';
import { storedBlobs } from './stored-files.ts';

export interface KillResult {
  /** How often the process was killed while a blob was being fetched. */
  readonly kills: number;
  readonly blobs: number;
  readonly wrongAnswers: number;
  /** Digests of stored blobs with other bytes, found after any kill. */
  readonly damaged: readonly string[];
  readonly sentBytes: number;
  /** What the upstream may have sent at most: each blob once, and for each kill what no checkpoint had recorded. */
  readonly allowedBytes: number;
}

/** Takes several kills: an edge that began anew each time would never have it. */
const blobBytes = 30_000_000;
const bytesPerSecond = 24_000_000;
/** As configured below. */
const checkpointMs = 100;
/** Sockets, pipes and the fake registry's own counting, which runs ahead of what is received. */
const underWayBytes = 2_000_000;

/**
 * Pulls blobs from an upstream of limited speed through an edge that is killed with SIGKILL at random moments, started
 * again, and asked again, `cycles` times in all. What is stored is hashed after each kill.
 */
export async function killCycles(seed: number, cycles: number): Promise<KillResult> {
  await using bench = await FaultBench.start({
    label: 'kill',
    // Room for a few blobs: what is hashed after each kill stays little, and eviction is killed now and then as well.
    cache: { checkpointInterval: `${checkpointMs}ms`, unattendedFills: 'finish', maxBytes: '120MB' },
  });
  const { upstream, edge } = bench;
  upstream.inject(({ method }) => method === 'GET', { bytesPerSecond });
  const random = numbers(seed);
  const damaged = new Set<string>();
  let [blobs, kills, wrongAnswers] = [0, 0, 0];
  while (kills < cycles) {
    const blob = content(layerBytes(blobBytes, `kill ${seed} ${blobs}`));
    blobs += 1;
    const repository = `library/kill-${blobs}`;
    upstream.addBlob(repository, blob);
    const url = bench.blobUrl(repository, blob.digest);
    for (let whole = false; !whole;) {
      const pulling = pull(url);
      // At the last kill of a run the blob may come through.
      if (kills < cycles) {
        const done = await Promise.race([pulling.then(() => true), sleep(20 + random() * 500, false)]);
        if (!done) {
          kills += 1;
          await edge.kill();
        }
      }
      const answer = await pulling;
      whole = answer.status === 200 && answer.complete;
      if (whole && !answer.bytes.equals(blob.bytes)) wrongAnswers += 1;
      for (const digest of (await storedBlobs(edge.dataFolder)).damaged) damaged.add(digest);
      if (!whole) await edge.resume();
    }
    upstream.removeRepository(repository);
  }
  const sentBytes = upstream.requests.reduce((sum, request) => sum + request.bytesSent, 0);
  const lostPerKill = (bytesPerSecond * checkpointMs) / 1000 + underWayBytes;
  return {
    kills,
    blobs,
    wrongAnswers,
    sentBytes,
    damaged: [...damaged],
    allowedBytes: blobs * blobBytes * 1.2 + kills * lostPerKill,
  };
}

/** Mulberry32: the same numbers between 0 and 1 for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
