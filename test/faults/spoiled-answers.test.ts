import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FakeFault } from '../fakes/fake-body.ts';
import { content, image, layerBytes } from '../fakes/images.ts';
import { waitUntil } from '../programs/wait-until.ts';
import { FaultBench } from './fault-bench.ts';
import { pull } from './pull.ts';
import { storedBlobs, unfinishedFiles } from './stored-files.ts';

const size = 3_000_000;

/** Each spoils every answer to a GET of the blob until the fault is lifted. */
const spoiled: readonly (readonly [string, FakeFault])[] = [
  ['cut after no byte', { cutAfter: 0 }],
  ['cut in the middle', { cutAfter: 1_500_000 }],
  ['cut before the last byte', { cutAfter: size - 1 }],
  ['shorter, with a length to match', { truncateTo: size - 1 }],
  ['empty, with a length to match', { truncateTo: 0 }],
  ['shorter, without a length', { truncateTo: size - 1000, chunked: true }],
  ['longer, with a length to match', { extraBytes: 1 }],
  ['longer, without a length', { extraBytes: 100_000, chunked: true }],
  ['wrong in the first byte', { wrongByteAt: 0 }],
  ['wrong in the middle', { wrongByteAt: 1_700_000 }],
  ['wrong in the last byte', { wrongByteAt: size - 1 }],
  ['wrong in the last byte, without a length', { wrongByteAt: size - 1, chunked: true }],
  ['another digest in Docker-Content-Digest', { headers: { 'docker-content-digest': otherDigest() } }],
  ['encoded with gzip', { headers: { 'content-encoding': 'gzip' } }],
  ['a page of HTML', { answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' } }],
  ['reset without an answer', { reset: true }],
];

/** Odd, but the bytes are right: no client may notice. */
const harmless: readonly (readonly [string, FakeFault])[] = [
  ['without a length', { chunked: true }],
  ['ranges ignored', { ignoreRange: true }],
  ['no Docker-Content-Digest', { headers: { 'docker-content-digest': undefined } }],
  ['an unknown Content-Type', { headers: { 'content-type': 'text/html' } }],
];

describe('an upstream whose answers are wrong', () => {
  let bench: FaultBench;
  const repository = 'ships/wherry';

  beforeAll(async () => {
    bench = await FaultBench.start({ label: 'spoiled' });
  });

  afterAll(async () => bench[Symbol.asyncDispose]());

  test.for(spoiled)('%s: no client takes wrong bytes for the blob, none are kept', async ([title, fault]) => {
    const { upstream, edge } = bench;
    const blob = content(layerBytes(size, title));
    upstream.addBlob(repository, blob);
    const url = bench.blobUrl(repository, blob.digest);
    upstream.inject(({ method, path }) => method === 'GET' && path.endsWith(blob.digest), fault);

    const clients = await Promise.all([pull(url), pull(url), pull(url)]);

    for (const client of clients) {
      if (client.status === 200 && client.complete) expect(client.bytes.equals(blob.bytes)).toBe(true);
      expect(client.status, edge.output).not.toBe(500);
    }
    expect((await storedBlobs(edge.dataFolder)).damaged).toEqual([]);

    upstream.clearFaults();
    await expectRight(url, blob.bytes);
    expect((await storedBlobs(edge.dataFolder)).damaged).toEqual([]);
  });

  test.for(harmless)('%s: the blob is right all the same', async ([title, fault]) => {
    const { upstream } = bench;
    const blob = content(layerBytes(size, title));
    upstream.addBlob(repository, blob);
    const url = bench.blobUrl(repository, blob.digest);
    upstream.inject(({ path }) => path.endsWith(blob.digest), fault);

    const part = await pull(url, { headers: { range: 'bytes=1000000-1000009' } });

    expect([part.status, part.complete]).toEqual([206, true]);
    expect(part.bytes.equals(Buffer.from(blob.bytes).subarray(1_000_000, 1_000_010))).toBe(true);
    await expectRight(url, blob.bytes);
    upstream.clearFaults();
  });

  test('a transfer that breaks twice goes on where it was', async () => {
    const { upstream } = bench;
    const blob = content(layerBytes(size, 'broken twice'));
    upstream.addBlob(repository, blob);
    upstream.inject(({ path }) => path.endsWith(blob.digest), { cutAfter: 1_000_000 }, 2);

    await expectRight(bench.blobUrl(repository, blob.digest), blob.bytes);

    const sent = upstream.requests
      .filter(({ path }) => path.endsWith(blob.digest))
      .reduce((sum, { bytesSent }) => sum + bytesSent, 0);
    // What is lost with a connection is what was under way in it.
    expect(sent).toBeLessThanOrEqual(size + 1_000_000);
  });

  test('nothing that was spoiled has left files behind', async () => {
    await waitUntil(
      async () => ((await unfinishedFiles(bench.edge.dataFolder)).length === 0 ? true : undefined),
      { what: 'no partials', timeoutMs: 30_000 },
    );
  });

  const wrongManifests: readonly (readonly [string, FakeFault])[] = [
    ['a page of HTML', { answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' } }],
    [
      'a page of HTML that calls itself a manifest',
      {
        answer: {
          status: 200,
          headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
          body: '<html>',
        },
      },
    ],
    ['one wrong byte', { wrongByteAt: 40 }],
    ['another digest in Docker-Content-Digest', { headers: { 'docker-content-digest': otherDigest() } }],
    ['nothing', { truncateTo: 0 }],
    ['endless', { extraBytes: 5_000_000 }],
  ];

  test.for(wrongManifests)('a manifest that is %s: not served, not kept', async ([title, fault]) => {
    const { upstream } = bench;
    const name = `wrong/m${wrongManifests.findIndex(([one]) => one === title)}`;
    const wanted = image({ layers: [layerBytes(2000, title)] });
    upstream.addImage(name, wanted, 'latest');
    upstream.inject(({ method, path }) => method === 'GET' && path.includes(`${name}/manifests/`), fault);

    for (const reference of ['latest', wanted.manifest.digest]) {
      const answer = await pull(bench.manifestUrl(name, reference));
      expect(answer.status === 200 && answer.complete, `${reference}: ${answer.status}`).toBe(false);
    }

    upstream.clearFaults();
    const answer = await pull(bench.manifestUrl(name, wanted.manifest.digest));
    expect([answer.status, answer.bytes.equals(wanted.manifest.bytes)]).toEqual([200, true]);
  });
});

async function expectRight(url: string, bytes: Uint8Array): Promise<void> {
  const answer = await pull(url);
  expect([answer.status, answer.complete]).toEqual([200, true]);
  expect(answer.bytes.equals(bytes)).toBe(true);
}

function otherDigest(): string {
  return content('something else').digest;
}
