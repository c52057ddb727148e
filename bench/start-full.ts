import assert from 'node:assert/strict';
import { runCommand } from '../test/programs/run-command.ts';
import { waitUntil } from '../test/programs/wait-until.ts';
import { EdgeProcess } from './edge-process.ts';
import { expectBody } from './fetch-digest.ts';
import { fillCache } from './full-cache.ts';
import type { Question } from './question.ts';

const blobs = 100_000;
const repository = 'bench/image';

/** Seconds from the start of the program until it answers with a cached blob, when the cache holds very many. */
export const startFull: Question = {
  name: 'start-full',
  async run({ folder, rounds, note }) {
    const nowhere = 'http://127.0.0.1:9';
    const edgeFolder = `${folder}/edge`;
    {
      // Makes the folder, and leaves the compiled program behind.
      await using edge = await EdgeProcess.start(edgeFolder, nowhere);
      assert(edge.url !== '');
    }
    note(`writing ${blobs} blobs`);
    const digests = await fillCache(`${edgeFolder}/data`, repository, blobs);
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const digest = digests[Math.floor((blobs / rounds) * round)];
      assert(digest !== undefined);
      await runCommand('sync', []);
      const startedMs = performance.now();
      await using edge = await EdgeProcess.launch(edgeFolder, nowhere);
      const url = `${edge.url}/v2/${repository}/blobs/${digest}`;
      await waitUntil(async () => (await isListening(url)) || undefined, {
        what: 'the first blob',
        timeoutMs: 60_000,
        intervalMs: 5,
      });
      seconds.push((performance.now() - startedMs) / 1000);
      await expectBody(url, digest);
    }
    return [
      {
        what: `start with ${blobs} blobs, until one is served`,
        unit: 's',
        ours: seconds,
        peer: undefined,
        bar: { kind: 'at-most', limit: 1 },
      },
    ];
  },
};

/** Fails when something answers with anything but the blob. */
async function isListening(url: string): Promise<boolean> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    return false; // refused: not listening yet
  }
  assert.equal(response.status, 200);
  await response.arrayBuffer();
  return true;
}
