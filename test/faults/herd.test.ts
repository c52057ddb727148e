import { expect, test } from 'vitest';
import { content, layerBytes } from '../fakes/images.ts';
import { FaultBench } from './fault-bench.ts';
import { residentBytes } from './malformed-flood.ts';
import { pull, type PullOptions } from './pull.ts';
import { storedBlobs } from './stored-files.ts';

const clients = 500;
const size = 4_000_000;

/** Every second one hangs up: at the headers, after some bytes, in the middle; of the others every fiftieth is slow. */
function manners(index: number): PullOptions {
  if (index % 2 === 1) return { hangUpAfter: [0, 1, 100_000, size / 2][((index - 1) / 2) % 4]! };
  return index % 100 === 0 ? { bytesPerSecond: 8_000_000 } : {};
}

test(`${clients} clients of one cold blob: one request upstream, the right bytes to all who stay`, async () => {
  await using bench = await FaultBench.start({ label: 'herd' });
  const blob = content(layerBytes(size, 'herd'));
  bench.upstream.addBlob('library/herd', blob);
  // Nothing comes before everybody has asked.
  const gate = Promise.withResolvers<void>();
  bench.upstream.inject(({ method }) => method === 'GET', { headersAfter: gate.promise });
  let asked = 0;
  const onSent = (): void => {
    asked += 1;
    if (asked === clients) gate.resolve();
  };

  const url = bench.blobUrl('library/herd', blob.digest);
  let stayed = 0;
  await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const options = manners(index);
      const answer = await pull(url, { ...options, onSent });
      if (options.hangUpAfter !== undefined) return;
      const right = answer.status === 200 && answer.complete && answer.bytes.equals(blob.bytes);
      if (right) stayed += 1;
    }),
  );

  expect(stayed).toBe(clients / 2);
  expect(bench.blobGets()).toBe(1);
  expect(bench.upstream.requests.filter(({ method }) => method === 'HEAD').length).toBeLessThanOrEqual(1);
  expect(await storedBlobs(bench.edge.dataFolder)).toEqual({ digests: [blob.digest], damaged: [] });
  expect(await residentBytes(bench.edge.pid)).toBeLessThan(512 * 1024 * 1024);
});

test('clients that all leave early cost one upstream request, and what came is not fetched again', async () => {
  await using bench = await FaultBench.start({ label: 'herd-leaves', cache: { unattendedFills: 'finish' } });
  const blob = content(layerBytes(size, 'leaves'));
  bench.upstream.addBlob('library/herd', blob);
  const url = bench.blobUrl('library/herd', blob.digest);

  await Promise.all(Array.from({ length: 50 }, async () => pull(url, { hangUpAfter: 1 })));
  const answer = await pull(url);

  expect([answer.status, answer.complete, answer.bytes.equals(blob.bytes)]).toEqual([200, true, true]);
  expect(bench.blobGets()).toBe(1);
});

test('500 clients of one tag that is not there yet: one request upstream for the manifest', async () => {
  await using bench = await FaultBench.start({ label: 'herd-tag' });
  const gate = Promise.withResolvers<void>();
  bench.upstream.inject(() => true, { headersAfter: gate.promise });
  let asked = 0;
  const onSent = (): void => {
    asked += 1;
    if (asked === clients) gate.resolve();
  };
  const url = bench.manifestUrl('library/absent', 'latest');
  const answers = await Promise.all(Array.from({ length: clients }, async () => pull(url, { onSent })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
  expect(bench.upstream.requests.length).toBeLessThanOrEqual(2);
});
