import { expect, test } from 'vitest';
import { content, image, layerBytes, type FakeContent } from '../fakes/images.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { waitUntil } from '../programs/wait-until.ts';
import { FaultBench, type FaultBenchOptions } from './fault-bench.ts';
import { pull } from './pull.ts';
import { SmallDisk } from './small-disk.ts';
import { storedBlobs, unfinishedFiles, untilStored } from './stored-files.ts';

const repository = 'library/app';
const mebibyte = 1024 * 1024;

describeWithPrograms('a disk that fails', { programs: [], root: true }, () => {
  /** An edge that believes in more room than there is. */
  async function start(
    mebibytes: number,
    before: (disk: SmallDisk) => Promise<void> = async () => undefined,
    options: Partial<FaultBenchOptions> = {},
  ): Promise<{ bench: FaultBench; disk: SmallDisk }> {
    let mounted: SmallDisk | undefined;
    const bench = await FaultBench.start({
      label: 'disk',
      cache: { maxBytes: '1GB' },
      ...options,
      prepareData: async (folder) => {
        mounted = await SmallDisk.mount(folder, mebibytes);
        await before(mounted);
        return mounted;
      },
    });
    return { bench, disk: mounted! };
  }

  function add(bench: FaultBench, seed: string, size: number): FakeContent {
    const blob = content(layerBytes(size, seed));
    bench.upstream.addBlob(repository, blob);
    return blob;
  }

  async function expectRight(bench: FaultBench, blob: FakeContent): Promise<void> {
    const answer = await pull(bench.blobUrl(repository, blob.digest));
    expect([answer.status, answer.complete, answer.bytes.equals(blob.bytes)]).toEqual([200, true, true]);
  }

  /** Pulls until the blob stays, as it does once the disk takes bytes again. */
  async function expectStoredAgain(bench: FaultBench, blob: FakeContent): Promise<void> {
    const stored = async (): Promise<true | undefined> => {
      await expectRight(bench, blob);
      const { digests, damaged } = await storedBlobs(bench.edge.dataFolder);
      expect(damaged).toEqual([]);
      return digests.includes(blob.digest) ? true : undefined;
    };
    await waitUntil(stored, { what: 'a stored blob', timeoutMs: 60_000, intervalMs: 500 });
  }

  async function expectNothingLeft(bench: FaultBench): Promise<void> {
    const nothing = async (): Promise<true | undefined> =>
      (await unfinishedFiles(bench.edge.dataFolder)).length === 0 ? true : undefined;
    await waitUntil(nothing, { what: 'no unfinished files', timeoutMs: 30_000 });
  }

  test.for([
    ['almost full', async (disk: SmallDisk) => disk.occupy(22)],
    ['full to the last byte', async (disk: SmallDisk) => disk.fillUp()],
  ] as const)('%s from the start: pulls pass through, and stay once there is room', async ([, fill]) => {
    const { bench, disk } = await start(24, async (one) => one.occupy(21));
    await using _ = bench;
    await fill(disk);
    const tagged = image({ layers: [layerBytes(4 * mebibyte, 'image')] });
    bench.upstream.addImage(repository, tagged, 'latest');
    const blob = add(bench, 'no room', 8 * mebibyte);

    await Promise.all([expectRight(bench, blob), expectRight(bench, blob), expectRight(bench, blob)]);
    const manifest = await pull(bench.manifestUrl(repository, 'latest'));
    expect([manifest.status, manifest.bytes.equals(tagged.manifest.bytes)]).toEqual([200, true]);
    for (const part of tagged.blobs) await expectRight(bench, part);
    const range = await pull(bench.blobUrl(repository, blob.digest), {
      headers: { range: 'bytes=5000000-5000009' },
    });
    expect([
      range.status,
      range.bytes.equals(Buffer.from(blob.bytes).subarray(5_000_000, 5_000_010)),
    ]).toEqual([206, true]);
    expect((await pull(`${bench.edge.url}/v2/`)).status).toBe(200);
    await expectNothingLeft(bench);

    await disk.free();
    await expectStoredAgain(bench, blob);
  });

  test('without any room at all the edge says so instead of starting', async () => {
    await expect(start(24, async (disk) => disk.fillUp())).rejects.toThrow(
      /no space left|disk is full|ENOSPC/i,
    );
  });

  test('it fills up in the middle of a blob: the client gets it whole, and nothing stays', async () => {
    const { bench, disk } = await start(24);
    await using _ = bench;
    const big = add(bench, 'too big', 40 * mebibyte);
    await Promise.all([expectRight(bench, big), expectRight(bench, big)]);
    await expectNothingLeft(bench);
    expect((await storedBlobs(bench.edge.dataFolder)).digests).not.toContain(big.digest);

    await expectStoredAgain(bench, add(bench, 'fits', 4 * mebibyte));
    await disk.fillUp();
    await expectRight(bench, add(bench, 'full again', 4 * mebibyte));
    await disk.free();
    await expectStoredAgain(bench, add(bench, 'free again', 4 * mebibyte));
  });

  test('read-only for a while: what is cached is served, the rest passes through', async () => {
    const { bench, disk } = await start(64);
    await using _ = bench;
    const cached = image({ layers: [layerBytes(2 * mebibyte, 'cached')] });
    bench.upstream.addImage(repository, cached, 'latest');
    await pull(bench.manifestUrl(repository, 'latest'));
    for (const blob of cached.blobs) await expectRight(bench, blob);
    await untilStored(bench.edge.dataFolder, cached);

    await disk.makeReadOnly(['blobs', 'partials', 'temp', 'repositories']);
    const blob = add(bench, 'read-only', 6 * mebibyte);
    const other = image({ layers: [layerBytes(mebibyte, 'other')] });
    bench.upstream.addImage('library/other', other, 'latest');
    for (const part of [...cached.blobs, blob]) await expectRight(bench, part);
    expect((await pull(bench.manifestUrl(repository, 'latest'))).status).toBe(200);
    expect((await pull(bench.manifestUrl('library/other', 'latest'))).status).toBe(200);

    await disk.makeWritable();
    await expectStoredAgain(bench, blob);
    await expectNothingLeft(bench);
  });
});
