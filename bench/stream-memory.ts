import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '../test/programs/wait-until.ts';
import { BlobUpstream, blobUrl } from './blob-upstream.ts';
import { interleave } from './contenders.ts';
import { EdgeProcess } from './edge-process.ts';
import { expectBody } from './fetch-digest.ts';
import { largeBlobBytes } from './large-blob.ts';
import type { Question } from './question.ts';
import { StreamReaders } from './stream-readers.ts';

const fast = 60;
const slow = 140;
const pauseMs = 200;

/** The most memory that an edge ever takes with 200 large answers under way, most of them to slow readers. */
export const streamMemory: Question = {
  name: 'stream-memory',
  async run({ folder, rounds, loadSeconds }) {
    await using upstream = await BlobUpstream.start(`${folder}/upstream`, { ownNetwork: false });
    const blob = await upstream.addBlob(largeBlobBytes);
    const peak = async (name: string, isCached: boolean): Promise<number> => {
      await using edge = await EdgeProcess.start(`${folder}/${name}`, upstream.nginx.url);
      const url = blobUrl(edge.url, blob);
      if (isCached) await expectBody(url, blob.digest);
      const readers = new StreamReaders({ url, fast, slow, pauseMs });
      await waitUntil(() => readers.streaming > 0.9 * (fast + slow) || undefined, {
        what: 'nearly all streams under way',
        timeoutMs: 120_000,
      });
      await delay(loadSeconds * 1_000);
      readers.close();
      return (await edge.memory()).peakMegabytes;
    };
    const peaks = await interleave(rounds, {
      warm: (round) => peak(`warm-${round}`, true),
      cold: (round) => peak(`cold-${round}`, false),
    });
    const bar = { kind: 'at-most', limit: 256 } as const;
    const what = `peak memory, ${fast + slow} streams, ${slow} slow`;
    return [
      { what: `${what}, cached`, unit: 'MB', ours: peaks.warm, peer: undefined, bar },
      { what: `${what}, being fetched`, unit: 'MB', ours: peaks.cold, peer: undefined, bar },
    ];
  },
};
