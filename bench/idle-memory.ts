import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { EdgeProcess } from './edge-process.ts';
import type { Question } from './question.ts';

const settleMs = 60_000;

/** Resident memory of an edge that nobody asked for anything, a minute after its start. */
export const idleMemory: Question = {
  name: 'idle-memory',
  async run({ folder, rounds }) {
    {
      // Leaves the compiled program behind, for those that count: they are what runs every day but the first.
      await using edge = await EdgeProcess.start(`${folder}/first`, 'http://127.0.0.1:9');
      assert(edge.url !== '');
    }
    const edges = await Promise.all(
      Array.from({ length: rounds }, (_, round) =>
        EdgeProcess.start(`${folder}/edge-${round}`, 'http://127.0.0.1:9'),
      ),
    );
    await using stack = new AsyncDisposableStack();
    for (const edge of edges) stack.use(edge);
    await delay(settleMs);
    const memories = await Promise.all(edges.map((edge) => edge.memory()));
    return [
      {
        what: 'memory, idle for 60 s',
        unit: 'MB',
        ours: memories.map(({ megabytes }) => megabytes),
        peer: undefined,
        bar: { kind: 'at-most', limit: 120 },
      },
    ];
  },
};
