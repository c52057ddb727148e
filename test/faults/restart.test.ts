import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { content, image, layerBytes } from '../fakes/images.ts';
import { launcher } from '../programs/edge.ts';
import { CommandError, runCommand } from '../programs/run-command.ts';
import { FaultBench } from './fault-bench.ts';
import { pull } from './pull.ts';
import { storedBlobs, unfinishedFiles } from './stored-files.ts';

const repository = 'library/app';
const size = 6_000_000;
const slow = { bytesPerSecond: 6_000_000 };

async function startWith(limits: object): Promise<{ bench: FaultBench; url: string; bytes: Uint8Array }> {
  const bench = await FaultBench.start({ label: 'restart', config: { limits } });
  const blob = content(layerBytes(size, 'restart'));
  bench.upstream.addBlob(repository, blob);
  bench.upstream.inject(({ method }) => method === 'GET', slow);
  return { bench, url: bench.blobUrl(repository, blob.digest), bytes: blob.bytes };
}

/** Resolves with the answer's promise once a third of it is here. */
async function begun(url: string): Promise<{ answer: ReturnType<typeof pull> }> {
  const third = Promise.withResolvers<void>();
  const answer = pull(url, { onBytes: (total) => void (total > size / 3 && third.resolve()) });
  await third.promise;
  return { answer };
}

describe('an edge that is told to stop', () => {
  test('lets transfers end, takes no new ones, and is gone then', async () => {
    const { bench, url, bytes } = await startWith({ drain: '60s' });
    await using _ = bench;
    const { answer } = await begun(url);
    const stopping = bench.edge.stop();
    const { status, complete, bytes: got } = await answer;
    expect([status, complete, got.equals(bytes)]).toEqual([200, true, true]);
    await stopping;
    expect(bench.edge.output).not.toContain('cut off');
    expect((await pull(url)).status).toBe(0);
    expect((await storedBlobs(bench.edge.dataFolder)).damaged).toEqual([]);
  });

  test('cuts off what takes longer than it may, and goes on there after the restart', async () => {
    const { bench, url, bytes } = await startWith({ drain: '1ms' });
    await using _ = bench;
    const { answer } = await begun(url);
    await bench.edge.stop();
    expect((await answer).complete).toBe(false);
    expect((await unfinishedFiles(bench.edge.dataFolder)).length).toBeGreaterThan(0);

    await bench.edge.resume();
    const again = await pull(url);
    expect([again.status, again.complete, again.bytes.equals(bytes)]).toEqual([200, true, true]);
    expect(bench.upstream.requests.at(-1)?.headers.range).toMatch(/^bytes=[1-9]/);
  });
});

describe('a data folder', () => {
  async function runSecond(bench: FaultBench): Promise<string> {
    const args = [...bench.edge.args];
    args[args.indexOf('--listen') + 1] = '127.0.0.1:0';
    try {
      await runCommand(launcher, args, { timeoutMs: 20_000 });
    } catch (error) {
      if (error instanceof CommandError) return `${error.message}\n${error.output.stderr}`;
      throw error;
    }
    return 'ended with code 0';
  }

  test('is refused by name to a second process, and the first goes on', async () => {
    await using bench = await FaultBench.start({ label: 'second' });
    bench.upstream.addImage(repository, image(), 'latest');
    const refusal = await runSecond(bench);
    expect(refusal).toContain('ended with code 1');
    expect(refusal).toContain(bench.edge.dataFolder);
    expect(refusal).toMatch(/in use|another process|used by/i);
    expect((await pull(bench.manifestUrl(repository, 'latest'))).status).toBe(200);
  });

  test('of a newer release is refused', async () => {
    await using bench = await FaultBench.start({ label: 'newer' });
    await bench.edge.stop();
    await writeFile(path.join(bench.edge.dataFolder, 'FORMAT'), '999\n');
    const refusal = await runSecond(bench);
    expect(refusal).toContain('ended with code 1');
    expect(refusal).toContain('newer');
  });

  test('is free again at once after a kill', async () => {
    await using bench = await FaultBench.start({ label: 'killed' });
    const blob = content(layerBytes(100_000, 'killed'));
    bench.upstream.addBlob(repository, blob);
    for (let round = 0; round < 3; round += 1) {
      await bench.edge.kill();
      await bench.edge.resume();
      const answer = await pull(bench.blobUrl(repository, blob.digest));
      expect([answer.status, answer.bytes.equals(blob.bytes)]).toEqual([200, true]);
    }
  });
});
