import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BlobEntry, BlobStore, PartialBlob } from '../../src/blob/blob-store.ts';
import type { ByteSource } from '../../src/blob/byte-source.ts';
import { type Digest, parseDigest } from '../../src/oci/digest.ts';

export interface BlobStoreHarness {
  readonly store: BlobStore;
  /**
   * The store as a process finds it that starts after this one was killed, with all bytes lost that no checkpoint and
   * no commit made durable. Whatever was open before is not to be used any more.
   */
  crash(): Promise<BlobStore>;
  /** Cleans up. */
  close(): Promise<void>;
}

/** What every BlobStore does. `open` gives an empty one. */
export function blobStoreContract(name: string, open: () => Promise<BlobStoreHarness>): void {
  describe(`${name} as BlobStore`, () => {
    let harness: BlobStoreHarness;
    const current = (): BlobStore => harness.store;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(async () => {
      await harness.close();
    });

    readingContract(current);
    writingContract(current);
    crashContract(() => harness);
    sweepingContract(current);
  });
}

const content = Buffer.from(
  Array.from({ length: 300_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff),
);
const digest = digestOf(content);

function readingContract(store: () => BlobStore): void {
  test('an unknown blob is absent', async () => {
    expect(await store().stat(digest)).toBeUndefined();
    expect(await store().open(digest)).toBeUndefined();
  });

  test.each([
    [0, undefined],
    [0, 1],
    [1, content.length],
    [100_000, 200_000],
    [content.length, content.length],
    [content.length, undefined],
  ])('bytes from %i to %s', async (start, end) => {
    await store().put(digest, content);
    const source = (await store().open(digest, start, end))!;
    const expected = content.subarray(start, end);
    expect(source.length).toBe(expected.length);
    expect((await readAll(source)).equals(expected)).toBe(true);
    expect(await source.read(Buffer.alloc(1))).toBe(0);
    await source.close();
  });

  test.each([
    [0, content.length + 1],
    [2, 1],
    [-1, 1],
  ])('bytes from %i to %i are a programming error', async (start, end) => {
    await store().put(digest, content);
    await expect(store().open(digest, start, end)).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
  });

  test('a source may be closed at any time and more than once; a pending read rejects or has its bytes', async () => {
    await store().put(digest, content);
    const source = (await store().open(digest))!;
    const into = Buffer.alloc(1000);
    const pending = source.read(into);
    const outcome = Promise.allSettled([pending]);
    await Promise.all([source.close(), source.close()]);
    const [result] = await outcome;
    if (result.status === 'fulfilled') expect(content.indexOf(into.subarray(0, result.value))).toBe(0);
    await expect(source.read(into)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await source.close();
  });

  test('a blob removed while it is open stays readable', async () => {
    await store().put(digest, content);
    const source = (await store().open(digest))!;
    await source.read(Buffer.alloc(10));
    await store().remove(digest);
    expect(await store().stat(digest)).toBeUndefined();
    expect((await readAll(source)).equals(content.subarray(10))).toBe(true);
    await source.close();
  });
}

function writingContract(store: () => BlobStore): void {
  test.each([
    ['sha256', content],
    ['sha512', content],
    ['sha256', Buffer.alloc(0)],
  ] as const)('put and commit a %s blob', async (algorithm, bytes) => {
    const digest = digestOf(bytes, algorithm);
    await store().put(digest, bytes);
    await expectBlob(store(), digest, bytes);
    await store().remove(digest);
    const partial = await store().openPartial(digest);
    await partial.write([bytes], 0);
    await partial.commit();
    await partial.close();
    await expectBlob(store(), digest, bytes);
  });

  test('many puts of one digest at once, and beside its commit', async () => {
    const partial = await store().openPartial(digest);
    await partial.write([content], 0);
    await Promise.all([...Array.from({ length: 10 }, () => store().put(digest, content)), partial.commit()]);
    await partial.close();
    await expectBlob(store(), digest, content);
    expect(await collect(store().list())).toHaveLength(1);
  });

  test('a blob of the wrong size is replaced', async () => {
    await store().put(digest, content.subarray(1));
    await store().put(digest, content);
    await expectBlob(store(), digest, content);
    await store().put(digest, content.subarray(0, 5));
    await writeWhole(store(), digest, content);
    await expectBlob(store(), digest, content);
  });

  test('nothing is visible before commit', async () => {
    const partial = await store().openPartial(digest);
    await partial.write([content], 0);
    await partial.checkpoint();
    expect(await store().stat(digest)).toBeUndefined();
    expect(await store().open(digest)).toBeUndefined();
    expect(await collect(store().list())).toEqual([]);
    await partial.commit();
    await partial.close();
    await expectBlob(store(), digest, content);
  });

  test('writes in any order, in many chunks, empty ones among them', async () => {
    const partial = await store().openPartial(digest);
    const chunks = Array.from({ length: 2000 }, (_, index) =>
      content.subarray(100_000 + index * 100, 100_100 + index * 100),
    );
    await partial.write([Buffer.alloc(0), ...chunks, Buffer.alloc(0)], 100_000);
    expect(partial.present.spans).toEqual([{ start: 100_000, end: 300_000 }]);
    await Promise.all([
      partial.write([content.subarray(50_000, 100_000)], 50_000),
      partial.write([content.subarray(0, 30_000)], 0),
      partial.write([], 7),
    ]);
    expect(partial.present.missing({ start: 0, end: 300_000 })).toEqual([{ start: 30_000, end: 50_000 }]);
    await partial.write([content.subarray(30_000, 50_000)], 30_000);
    await partial.commit();
    await partial.close();
    await expectBlob(store(), digest, content);
  });

  test('its holder reads what is present, while more is written', async () => {
    const partial = await store().openPartial(digest);
    await partial.write([content.subarray(0, 1000)], 0);
    const into = Buffer.alloc(5000);
    const [count] = await Promise.all([
      partial.read(into, 500),
      partial.write([content.subarray(1000)], 1000),
    ]);
    expect(count).toBeGreaterThan(0);
    expect(into.subarray(0, count).equals(content.subarray(500, 500 + count))).toBe(true);
    await partial.discard();
    await partial.close();
  });

  test('a read of what is not present is a programming error', async () => {
    const partial = await store().openPartial(digest);
    await partial.write([content.subarray(0, 10)], 0);
    await partial.write([content.subarray(20, 30)], 20);
    for (const position of [10, 19, 30]) {
      await expect(partial.read(Buffer.alloc(1), position)).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    }
    expect(await partial.read(Buffer.alloc(100), 5)).toBe(5);
    await partial.discard();
    await partial.close();
  });

  test.each(['commit', 'discard'] as const)('reads go on after %s until close', async (ending) => {
    const partial = await store().openPartial(digest);
    await partial.write([content], 0);
    await partial[ending]();
    expect((await readPartial(partial)).equals(content)).toBe(true);
    await store().remove(digest);
    expect((await readPartial(partial)).equals(content)).toBe(true);
    await partial.close();
    await partial.close();
  });

  test('one holder at a time; after its end the next', async () => {
    const first = await store().openPartial(digest);
    await expect(store().openPartial(digest)).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    await first.write([content.subarray(0, 100)], 0);
    await first.discard();
    const second = await store().openPartial(digest);
    expect(second.present.isEmpty).toBe(true);
    await first.close(); // releases nothing that is the second's
    await expect(store().openPartial(digest)).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    await second.write([content.subarray(0, 5)], 0);
    await second.close(); // without an end: an error path
    const third = await store().openPartial(digest);
    await third.discard();
    await third.close();
  });

  test('an ended one takes neither writes nor a second end', async () => {
    const partial = await store().openPartial(digest);
    await partial.write([content], 0);
    await partial.commit();
    for (const misuse of [
      () => partial.write([content], 0),
      () => partial.checkpoint(),
      () => partial.commit(),
      () => partial.discard(),
      () => partial.keep(),
    ]) {
      await expect(misuse()).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    }
    await partial.close();
  });

  test('what was kept is there again, with its size', async () => {
    const first = await store().openPartial(digest);
    first.size = content.length;
    await first.write([content.subarray(0, 1000)], 0);
    await first.write([content.subarray(5000, 6000)], 5000);
    await first.keep();
    await first.close();
    const second = await store().openPartial(digest);
    expect(second.size).toBe(content.length);
    expect(second.present.spans).toEqual([
      { start: 0, end: 1000 },
      { start: 5000, end: 6000 },
    ]);
    await second.write([content.subarray(1000)], 1000);
    await second.commit();
    await second.close();
    await expectBlob(store(), digest, content);
  });
}

function crashContract(harness: () => BlobStoreHarness): void {
  test('a crash leaves what the last checkpoint recorded, and those bytes are right', async () => {
    const before = await harness().store.openPartial(digest);
    before.size = content.length;
    await before.write([content.subarray(0, 70_000)], 0);
    await before.write([content.subarray(200_000, 210_000)], 200_000);
    await before.checkpoint();
    await before.write([content.subarray(70_000, 90_000)], 70_000);
    const store = await harness().crash();
    const partial = await store.openPartial(digest);
    expect(partial.size).toBe(content.length);
    expect(partial.present.spans).toEqual([
      { start: 0, end: 70_000 },
      { start: 200_000, end: 210_000 },
    ]);
    expect((await readPartial(partial)).equals(content.subarray(0, 70_000))).toBe(true);
    for (const { start, end } of partial.present.missing({ start: 0, end: content.length })) {
      await partial.write([content.subarray(start, end)], start);
    }
    await partial.commit();
    await partial.close();
    await expectBlob(await harness().crash(), digest, content);
  });

  test('a crash before the first checkpoint leaves nothing', async () => {
    const before = await harness().store.openPartial(digest);
    await before.write([content], 0);
    const store = await harness().crash();
    const partial = await store.openPartial(digest);
    expect(partial.present.isEmpty).toBe(true);
    expect(partial.size).toBeUndefined();
    await partial.discard();
    await partial.close();
  });

  test('a crash after discard leaves nothing of a checkpoint before it', async () => {
    const wrong = await harness().store.openPartial(digest);
    await wrong.write([Buffer.alloc(content.length)], 0);
    await wrong.checkpoint();
    await wrong.discard();
    await wrong.close();
    const again = await harness().store.openPartial(digest);
    await again.write([content], 0);
    const store = await harness().crash();
    const partial = await store.openPartial(digest);
    expect(partial.present.isEmpty).toBe(true);
    await partial.discard();
    await partial.close();
  });

  test('put, commit, keep and quarantine survive', async () => {
    const small = Buffer.from('{}');
    const kept = Buffer.from('kept');
    const bad = Buffer.from('bad');
    await harness().store.put(digestOf(small), small);
    await harness().store.put(digestOf(bad), bad);
    await harness().store.quarantine(digestOf(bad));
    await writeWhole(harness().store, digest, content);
    const partial = await harness().store.openPartial(digestOf(kept));
    await partial.write([kept], 0);
    await partial.keep();
    await partial.close();
    const store = await harness().crash();
    await expectBlob(store, digest, content);
    await expectBlob(store, digestOf(small), small);
    expect(await store.stat(digestOf(bad))).toBeUndefined();
    const again = await store.openPartial(digestOf(kept));
    expect(again.present.spans).toEqual([{ start: 0, end: kept.length }]);
    await again.close();
  });
}

function sweepingContract(store: () => BlobStore): void {
  test('list gives each committed blob once', async () => {
    const blobs = Array.from({ length: 30 }, (_, index) => Buffer.alloc(index, index));
    for (const bytes of blobs) await store().put(digestOf(bytes), bytes);
    await store().put(digestOf(content, 'sha512'), content);
    const listed = await collect(store().list());
    expect(listed.map(({ digest, size }) => `${digest} ${size}`).sort()).toEqual(
      [
        ...blobs.map((bytes) => `${digestOf(bytes)} ${bytes.length}`),
        `${digestOf(content, 'sha512')} ${content.length}`,
      ].sort(),
    );
    expect(listed.every(({ usedAtMs }) => Number.isSafeInteger(usedAtMs))).toBe(true);
  });

  test('listPartials gives those that nobody holds; removePartial frees them', async () => {
    const partial = await store().openPartial(digest);
    await partial.write([content], 0);
    await partial.checkpoint();
    expect(await collect(store().listPartials())).toEqual([]);
    await partial.keep();
    await partial.close();
    const [entry, ...more] = await collect(store().listPartials());
    expect(more).toEqual([]);
    expect(entry?.digest).toBe(digest);
    expect(entry?.size).toBeGreaterThanOrEqual(content.length);
    await store().removePartial(digest);
    await store().removePartial(digest);
    expect(await collect(store().listPartials())).toEqual([]);
    const again = await store().openPartial(digest);
    expect(again.present.isEmpty).toBe(true);
    await again.discard();
    await again.close();
  });

  test('removePartial leaves a held one alone, and one opened beside it works', async () => {
    const held = await store().openPartial(digest);
    await held.write([content.subarray(0, 10)], 0);
    await held.checkpoint();
    await store().removePartial(digest);
    await held.keep();
    await held.close();
    const [, partial] = await Promise.all([store().removePartial(digest), store().openPartial(digest)]);
    await partial.write([content], 0);
    await partial.commit();
    await partial.close();
    await expectBlob(store(), digest, content);
  });

  test('nothing is kept of a partial without bytes', async () => {
    const partial = await store().openPartial(digest);
    await partial.keep();
    await partial.close();
    expect(await collect(store().listPartials())).toEqual([]);
  });

  test('remove and quarantine, also of what is not there', async () => {
    await store().remove(digest);
    await store().quarantine(digest);
    await store().put(digest, content);
    const source = (await store().open(digest))!;
    await store().quarantine(digest);
    expect(await store().stat(digest)).toBeUndefined();
    expect(await collect(store().list())).toEqual([]);
    expect((await readAll(source)).equals(content)).toBe(true);
    await source.close();
    await store().put(digest, content);
    await expectBlob(store(), digest, content);
    await store().quarantine(digest);
    expect(await store().stat(digest)).toBeUndefined();
  });
}

export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`)!;
}

async function writeWhole(store: BlobStore, digest: Digest, bytes: Uint8Array): Promise<void> {
  const partial = await store.openPartial(digest);
  await partial.write([bytes], 0);
  await partial.commit();
  await partial.close();
}

async function expectBlob(store: BlobStore, digest: Digest, bytes: Buffer): Promise<void> {
  expect(await store.stat(digest)).toEqual({ size: bytes.length });
  const source = (await store.open(digest))!;
  expect((await readAll(source)).equals(bytes)).toBe(true);
  await source.close();
}

/** What is left of a source, in pieces of an odd size. */
async function readAll(source: ByteSource): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    const into = Buffer.alloc(65_537);
    const count = await source.read(into);
    if (count === 0) return Buffer.concat(pieces);
    pieces.push(into.subarray(0, count));
  }
}

/** The run of present bytes at the front. */
async function readPartial(partial: PartialBlob): Promise<Buffer> {
  const bytes = Buffer.alloc(partial.present.contiguousEnd(0));
  let position = 0;
  while (position < bytes.length) position += await partial.read(bytes.subarray(position), position);
  return bytes;
}

async function collect(entries: AsyncIterable<BlobEntry>): Promise<BlobEntry[]> {
  const found: BlobEntry[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}
