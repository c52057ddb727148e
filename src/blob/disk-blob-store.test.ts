import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../test/contracts/blob-store.ts';
import { type DiskObserver, observedDisk } from '../../test/fakes/observed-disk.ts';
import { errno } from '../../test/fakes/power-loss-disk.ts';
import { makeTempFolder, type TempFolder } from '../../test/fakes/temp-folder.ts';
import { trackedDisk, type TrackedDisk } from '../../test/fakes/tracked-disk.ts';
import type { DiskFile, FileSystem } from '../base/file-system.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { StorageError, StorageFullError } from '../base/storage-error.ts';
import { digestHex } from '../oci/digest.ts';
import { DiskBlobStore } from './disk-blob-store.ts';

const content = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index & 0xff));
const digest = digestOf(content);
const hex = digestHex(digest);

let folder: TempFolder;
let disk: TrackedDisk;
beforeEach(async () => {
  folder = await makeTempFolder();
  disk = trackedDisk();
});
afterEach(async () => {
  const leaked = [...disk.openFiles.values()];
  await disk.closeAll();
  await folder.remove();
  expect(leaked).toEqual([]);
});

function open(files: FileSystem = disk, reserveBytes = 0): Promise<DiskBlobStore> {
  return DiskBlobStore.open({ root: folder.path, reserveBytes, files, clock: new ManualClock() });
}

/** Paths relative to the root. */
function observed(observe: DiskObserver): FileSystem {
  return observedDisk(disk, (call, path) => observe(call, path.slice(folder.path.length + 1)));
}

async function fill(store: DiskBlobStore): Promise<void> {
  const partial = await store.openPartial(digest);
  try {
    await partial.write([content.subarray(0, 20_000)], 0);
    await partial.checkpoint();
    await partial.write([content.subarray(20_000)], 20_000);
    await partial.commit();
  } finally {
    await partial.close();
  }
}

test('folders are 0700, unfinished files 0600, committed blobs 0440', async () => {
  const store = await open();
  await store.put(digestOf(Buffer.from('x')), Buffer.from('x'));
  const partial = await store.openPartial(digest);
  await partial.write([content], 0);
  await partial.checkpoint();
  const modeOf = async (path: string): Promise<number> => (await stat(join(folder.path, path))).mode & 0o777;
  expect(await modeOf(`partials/sha256-${hex}.part`)).toBe(0o600);
  expect(await modeOf(`partials/sha256-${hex}.ranges`)).toBe(0o600);
  await partial.commit();
  await partial.close();
  for (const path of [
    'blobs',
    'blobs/sha256',
    `blobs/sha256/${hex.slice(0, 2)}`,
    'partials',
    'quarantine',
    'temp',
  ]) {
    expect(await modeOf(path), path).toBe(0o700);
  }
  for (const blob of [digest, digestOf(Buffer.from('x'))]) {
    expect(await modeOf(`blobs/sha256/${digestHex(blob).slice(0, 2)}/${digestHex(blob)}`)).toBe(0o440);
  }
  expect(await readdir(join(folder.path, 'partials'))).toEqual([]);
});

test('the order of writes, syncs and renames', async () => {
  const calls: string[] = [];
  const order = new Set(['writev', 'datasync', 'sync', 'rename', 'mkdir', 'unlink']);
  const store = await open(
    observed((call, path) => {
      if (order.has(call)) calls.push(`${call} ${path.replaceAll(hex, 'HEX')}`);
    }),
  );
  calls.length = 0;
  await fill(store);
  const fan = `blobs/sha256/${hex.slice(0, 2)}`;
  expect(calls).toEqual([
    'writev partials/sha256-HEX.part',
    'datasync partials/sha256-HEX.part',
    'writev temp/1',
    'datasync temp/1',
    'rename partials/sha256-HEX.ranges',
    'sync partials',
    'writev partials/sha256-HEX.part',
    'sync partials/sha256-HEX.part',
    `rename ${fan}/HEX`, // finds no folder
    `mkdir ${fan}`,
    'sync blobs/sha256',
    `rename ${fan}/HEX`,
    `sync ${fan}`,
    'unlink partials/sha256-HEX.ranges',
  ]);
  await store.remove(digest);
  calls.length = 0;
  await store.put(digest, content);
  expect(calls).toEqual(['writev temp/2', 'datasync temp/2', `rename ${fan}/HEX`, `sync ${fan}`]);
});

describe.each([
  ['ENOSPC', StorageFullError],
  ['EDQUOT', StorageFullError],
  ['EIO', StorageError],
  ['EMFILE', StorageError],
] as const)('%s', (code, type) => {
  test.each(['fill', 'put'] as const)(
    'at any call of a %s: the right error, nothing wrong left, works again',
    async (kind) => {
      const run = (store: DiskBlobStore): Promise<void> =>
        kind === 'fill' ? fill(store) : store.put(digest, content);
      let calls = 0;
      let failAt = Number.POSITIVE_INFINITY;
      const files = observed((call) => {
        if (call === 'close') return;
        calls += 1;
        if (calls === failAt) throw errno(code, call);
      });
      const store = await open(files);
      calls = 0;
      await run(store);
      const total = calls;
      for (let at = 1; at <= total; at += 1) {
        await store.remove(digest);
        calls = 0;
        failAt = at;
        const failure = await run(store).then(
          () => undefined,
          (error: unknown) => error,
        );
        failAt = Number.POSITIVE_INFINITY;
        if (failure !== undefined) expect(failure).toBeInstanceOf(type);
        if (failure === undefined) expect(await store.stat(digest)).toEqual({ size: content.length });
        expect(await readdir(join(folder.path, 'temp'))).toEqual([]);
        await run(store);
        const path = join(folder.path, 'blobs/sha256', hex.slice(0, 2), hex);
        expect((await readFile(path)).equals(content), `after a failure of call ${at}`).toBe(true);
      }
    },
  );
});

test('after a failed sync no later one is believed', async () => {
  let fails = true;
  const store = await open(
    observed((call, path) => {
      if (fails && call === 'datasync' && path.endsWith('.part')) throw errno('EIO', 'fdatasync');
    }),
  );
  const partial = await store.openPartial(digest);
  await partial.write([content], 0);
  await expect(partial.checkpoint()).rejects.toBeInstanceOf(StorageError);
  fails = false;
  await expect(partial.checkpoint()).rejects.toBeInstanceOf(StorageError);
  await expect(partial.commit()).rejects.toBeInstanceOf(StorageError);
  await partial.discard();
  await partial.close();
  await fill(store);
});

test('a write that the system cuts short is continued', async () => {
  const files: FileSystem = {
    ...disk,
    open: async (path, flags, mode) => {
      const file = await disk.open(path, flags, mode);
      const writev = file.writev.bind(file);
      const short: DiskFile['writev'] = (chunks, position) => {
        const first = chunks.find((chunk) => chunk.length > 0)!;
        return writev([first.subarray(0, 7)], position);
      };
      return Object.assign(file, { writev: short });
    },
  };
  const store = await open(files);
  const bytes = content.subarray(0, 1000);
  const partial = await store.openPartial(digestOf(bytes));
  await partial.write(
    [bytes.subarray(0, 10), Buffer.alloc(0), bytes.subarray(10, 30), bytes.subarray(30)],
    0,
  );
  await partial.commit();
  const found = Buffer.alloc(1000);
  for (let at = 0; at < 1000;) at += await partial.read(found.subarray(at), at);
  expect(found.equals(bytes)).toBe(true);
  await partial.close();
});

describe('a record that is not believed means an empty start', () => {
  const part = (): string => join(folder.path, `partials/sha256-${hex}.part`);
  const ranges = (): string => join(folder.path, `partials/sha256-${hex}.ranges`);
  test.each<[string, () => Promise<void>]>([
    ['torn', () => truncate(ranges(), 30)],
    ['empty', () => truncate(ranges(), 0)],
    [
      'of other content',
      async () => writeFile(ranges(), (await readFile(ranges(), 'utf8')).replace('20000', '30000')),
    ],
    ['beyond the file', () => truncate(part(), 19_999)],
    ['gone', async () => (await open()).removePartial(digest)],
  ])('%s', async (_name, damage) => {
    const first = await (await open()).openPartial(digest);
    await first.write([content.subarray(0, 20_000)], 0);
    await first.keep();
    await first.close();
    await damage();
    const store = await open();
    const second = await store.openPartial(digest);
    expect(second.present.isEmpty).toBe(true);
    expect((await stat(part())).size).toBe(0);
    await expect(stat(ranges())).rejects.toThrow(/ENOENT/);
    await second.write([content.subarray(10)], 10);
    await second.close(); // as a crash would leave it
    const third = await store.openPartial(digest);
    expect(third.present.isEmpty).toBe(true);
    await third.discard();
    await third.close();
  });
});

test('opening removes temporary files and unpaired partials, and leaves the rest', async () => {
  const partial = await (await open()).openPartial(digest);
  await partial.write([content], 0);
  await partial.keep();
  await partial.close();
  const other = `sha256-${'b'.repeat(64)}`;
  for (const path of [
    'temp/1',
    `partials/${other}.part`,
    `partials/sha256-${'c'.repeat(64)}.ranges`,
    'partials/README',
  ]) {
    await writeFile(join(folder.path, path), 'x');
  }
  await open();
  expect(await readdir(join(folder.path, 'temp'))).toEqual([]);
  expect((await readdir(join(folder.path, 'partials'))).sort()).toEqual(
    ['README', `sha256-${hex}.part`, `sha256-${hex}.ranges`].sort(),
  );
});

test('opening looks at no blob, however many there are', async () => {
  await (await open()).put(digest, content);
  const looked: string[] = [];
  await open(
    observed((call, path) => {
      if (call === 'stat' || call === 'opendir') looked.push(`${call} ${path}`);
    }),
  );
  expect(looked).toEqual(['opendir temp', 'opendir partials']);
});

test('list passes strangers over', async () => {
  const store = await open();
  await store.put(digest, content);
  await writeFile(join(folder.path, 'blobs/sha256/stray'), '');
  await mkdir(join(folder.path, 'blobs/sha256/zz'));
  await writeFile(join(folder.path, 'blobs/sha256/zz/file'), '');
  await writeFile(join(folder.path, 'blobs/sha256/zz', hex), ''); // its digest leads elsewhere
  const found = [];
  for await (const entry of store.list()) found.push(entry.digest);
  expect(new Set(found)).toEqual(new Set([digest]));
});

test('quarantine keeps the bytes', async () => {
  const store = await open();
  await store.put(digest, content);
  await store.quarantine(digest);
  expect((await readFile(join(folder.path, `quarantine/sha256-${hex}`))).equals(content)).toBe(true);
});

test('a reserve that the file system cannot leave free: full, for put, openPartial and write', async () => {
  let bavail = 1000;
  const store = await open({ ...disk, statfs: async () => ({ bsize: 1000, blocks: 5000, bavail }) }, 970_000);
  const partial = await store.openPartial(digest);
  await partial.write([content.subarray(0, 20_000)], 0);
  await expect(partial.write([content.subarray(20_000)], 20_000)).rejects.toBeInstanceOf(StorageFullError);
  expect(partial.present.totalBytes).toBe(20_000);
  await expect(store.put(digestOf(content.subarray(1)), content.subarray(1))).rejects.toBeInstanceOf(
    StorageFullError,
  );
  await partial.keep();
  await partial.close();
  bavail = 900;
  expect(await store.space.freeBytes()).toBe(900_000);
  expect(await store.space.capacityBytes()).toBe(5_000_000);
  await expect(store.openPartial(digest)).rejects.toBeInstanceOf(StorageFullError);
  bavail = 5000;
  await store.space.freeBytes();
  await fill(store);
});
