import { beforeEach, expect, it } from 'vitest';
import { app, CacheBench } from '../../test/fakes/cache-bench.ts';
import { readAll } from '../../test/fakes/fill-bench.ts';
import { content, layerBytes } from '../../test/fakes/images.ts';
import { OciError } from '../oci/error.ts';

const blob = content(layerBytes(5_000, 'told'));
let bench: CacheBench;

beforeEach(() => {
  bench = new CacheBench();
});

async function pull(): Promise<Buffer> {
  const found = await bench.blobs.find(bench.repository(), blob.digest, 'whole');
  return readAll(await found.open(0, undefined));
}

it.each([
  ['shorter', blob.bytes.subarray(0, 4_999)],
  ['empty', blob.bytes.subarray(0, 0)],
  ['longer', Buffer.concat([blob.bytes, Buffer.from('more')])],
])('a blob that was %s once is right when the upstream is', async (_, wrong) => {
  bench.client.addBlob(app, blob.digest, wrong);
  await expect(pull()).rejects.toBeInstanceOf(OciError);
  await bench.clock.advance(0);

  bench.client.addBlob(app, blob.digest, blob.bytes);
  expect(await pull()).toEqual(Buffer.from(blob.bytes));
});

it('a length told by HEAD alone counts no longer when the bytes have another', async () => {
  bench.client.addBlob(app, blob.digest, blob.bytes.subarray(0, 4_000));
  expect((await bench.blobs.find(bench.repository(), blob.digest, 'head')).size).toBe(4_000);

  bench.client.addBlob(app, blob.digest, blob.bytes);
  await expect(pull()).rejects.toBeInstanceOf(OciError);
  await bench.clock.advance(0);
  expect(await pull()).toEqual(Buffer.from(blob.bytes));
});
