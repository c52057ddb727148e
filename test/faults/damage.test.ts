import { open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { image, layerBytes } from '../fakes/images.ts';
import { waitUntil } from '../programs/wait-until.ts';
import { FaultBench } from './fault-bench.ts';
import { pull } from './pull.ts';
import { blobFile, filesBelow, storedBlobs, untilStored } from './stored-files.ts';

const repository = 'library/app';
const cached = image({ layers: [layerBytes(2_000_000, 'damage')] });
const layer = cached.blobs[1]!;

let bench: FaultBench;

async function start(scrub: object): Promise<void> {
  bench = await FaultBench.start({ label: 'damage', config: { scrub } });
  bench.upstream.addImage(repository, cached, 'latest');
  await pullImage();
  await untilStored(bench.edge.dataFolder, cached);
}

afterEach(async () => bench[Symbol.asyncDispose]());

async function pullImage(): Promise<void> {
  const manifest = await pull(bench.manifestUrl(repository, 'latest'));
  expect([manifest.status, manifest.bytes.equals(cached.manifest.bytes)]).toEqual([200, true]);
  for (const { digest, bytes } of cached.blobs) {
    const answer = await pull(bench.blobUrl(repository, digest));
    expect([answer.status, answer.complete, answer.bytes.equals(bytes)]).toEqual([200, true, true]);
  }
}

async function flip(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, position);
    byte[0] = byte[0]! ^ 0x40;
    await handle.write(byte, 0, 1, position);
  } finally {
    await handle.close();
  }
}

describe('an index that is lost', () => {
  beforeEach(async () => start({ enabled: false }));

  const losses: readonly (readonly [string, (file: string) => Promise<void>])[] = [
    ['deleted', async (file) => rm(file)],
    [
      'garbage',
      async (file) =>
        writeFile(file, 'this is no database, and long enough to be looked at twice '.repeat(99)),
    ],
    ['empty', async (file) => writeFile(file, '')],
    ['cut short', async (file) => truncate(file, Math.floor((await stat(file)).size / 2))],
    ['damaged in the middle', async (file) => flip(file, 5_000)],
  ];

  test.for(losses)('%s: the cached image is served with the upstream away', async ([, lose]) => {
    await bench.edge.stop();
    await bench.upstream.stop();
    await lose(path.join(bench.edge.dataFolder, 'index.sqlite'));
    await bench.edge.resume();
    await pullImage();
  });
});

describe('bytes that the disk has changed', () => {
  test.for([
    ['the first byte', 0],
    ['the last byte', layer.bytes.length - 1],
  ] as const)('%s of a blob: the scrub finds it, and the next pull is right', async ([, position]) => {
    await start({ bytesPerSecond: '1GB' });
    await bench.edge.stop();
    await flip(blobFile(bench.edge.dataFolder, layer.digest), position);
    await bench.edge.resume();

    const quarantined = async (): Promise<true | undefined> =>
      (await filesBelow(path.join(bench.edge.dataFolder, 'quarantine'))).length > 0 ? true : undefined;
    await waitUntil(quarantined, { what: 'the blob in quarantine', timeoutMs: 30_000 });
    await pullImage();
    await untilStored(bench.edge.dataFolder, cached);
    expect((await storedBlobs(bench.edge.dataFolder)).damaged).toEqual([]);
  });

  test('a manifest: it is not served, and fetched again', async () => {
    await start({ enabled: false });
    await bench.edge.stop();
    await flip(blobFile(bench.edge.dataFolder, cached.manifest.digest), 30);
    await bench.edge.resume();
    const answer = await pull(bench.manifestUrl(repository, cached.manifest.digest));
    if (answer.status === 200) expect(answer.bytes.equals(cached.manifest.bytes)).toBe(true);
    expect(answer.status).not.toBe(500);
    await pullImage();
  });

  test('records of tags and manifests that are garbage: nothing wrong is served', async () => {
    await start({ enabled: false });
    await bench.edge.stop();
    const records = path.join(bench.edge.dataFolder, 'repositories');
    const files = await filesBelow(records);
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) await writeFile(path.join(records, file), '{"digest":"sha256:zz');
    await bench.edge.resume();
    await pullImage();
  });

  test.for([0, 1_000_000])(
    'a blob cut short to %i bytes is never served as a shorter one',
    async (length) => {
      await start({ enabled: false });
      await bench.edge.stop(); // what it knows of the blob is on disk then
      await truncate(blobFile(bench.edge.dataFolder, layer.digest), length);
      await bench.edge.resume();
      for (const method of ['HEAD', 'GET'] as const) {
        const answer = await pull(bench.blobUrl(repository, layer.digest), { method });
        expect([answer.status, answer.headers['content-length']]).toEqual([200, '2000000']);
      }
      await pullImage();
    },
  );
});
