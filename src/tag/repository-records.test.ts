import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nodeDiskFiles } from '../base/disk-files.ts';
import type { FileSystem } from '../base/file-system.ts';
import { silentLogger } from '../base/logger.ts';
import { StorageError, StorageFullError } from '../base/storage-error.ts';
import { parseDigest } from '../oci/digest.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { parseTag } from '../oci/tag.ts';
import { makeTempFolder, type TempFolder } from '../../test/fakes/temp-folder.ts';
import { DiskRevisionStore } from './disk-revision-store.ts';
import { DiskTagStore } from './disk-tag-store.ts';
import { RepositoryRecords } from './repository-records.ts';

const key = { upstream: 'registry:5000', repository: parseRepositoryName('team/app')! };
const latest = parseTag('latest')!;
const digest = parseDigest(`sha256:${'a'.repeat(64)}`)!;
const record = { digest, mediaType: 'application/json', checkedAtMs: 1 };
const tagPath = 'repositories/registry%3A5000/team/app/_tags/latest';

let folder: TempFolder;
beforeEach(async () => {
  folder = await makeTempFolder();
});
afterEach(async () => {
  await folder.remove();
});

async function open(options: { files?: Partial<FileSystem>; warn?: () => void; maxOpenFiles?: number } = {}) {
  return RepositoryRecords.open({
    root: folder.path,
    maxOpenFiles: options.maxOpenFiles ?? 4,
    maxWaiting: 10,
    files: { ...nodeDiskFiles, ...options.files },
    logger: { ...silentLogger, ...(options.warn && { warn: options.warn }) },
  });
}

test('a tag is one file of mode 0600 in folders of mode 0700', async () => {
  await new DiskTagStore(await open()).put(key, latest, record);
  expect((await stat(join(folder.path, tagPath))).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder.path, dirname(tagPath)))).mode & 0o777).toBe(0o700);
});

test.each([
  ['empty', ''],
  ['torn', '{"digest":"sha256:'],
  ['no digest', JSON.stringify({ ...record, digest: 'sha256:aa' })],
  ['a field missing', JSON.stringify({ digest })],
  ['endless', JSON.stringify({ ...record, mediaType: 'x'.repeat(40_000) })],
])('a record that is %s is absent, and logged', async (_name, text) => {
  const warn = vi.fn();
  const store = new DiskTagStore(await open({ warn }));
  await store.put(key, latest, record);
  await writeFile(join(folder.path, tagPath), text);
  expect(await store.get(key, latest)).toBeUndefined();
  expect(warn).toHaveBeenCalledOnce();
});

test('a revision that names another digest than its file is absent', async () => {
  const store = new DiskRevisionStore(await open());
  await store.put(key, { digest, mediaType: 'x', size: 1 });
  const other = parseDigest(`sha256:${'b'.repeat(64)}`)!;
  const path = join(folder.path, 'repositories/registry%3A5000/team/app/_revisions/sha256', 'b'.repeat(64));
  await writeFile(path, JSON.stringify({ digest, mediaType: 'x', size: 1 }));
  expect(await store.get(key, other)).toBeUndefined();
});

test('a record that the disk refuses to read is absent, and logged', async () => {
  const warn = vi.fn();
  const refuse: FileSystem['open'] = async (path, flags, mode) => {
    if (!path.endsWith('latest')) return nodeDiskFiles.open(path, flags, mode);
    throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'open' });
  };
  const store = new DiskTagStore(await open({ warn, files: { open: refuse } }));
  expect(await store.get(key, latest)).toBeUndefined();
  expect(warn).toHaveBeenCalledOnce();
});

test.each([
  ['ENOSPC', StorageFullError],
  ['EDQUOT', StorageFullError],
  ['EIO', StorageError],
] as const)('%s at the rename: the old record stays and no temporary file', async (code, type) => {
  await new DiskTagStore(await open()).put(key, latest, record);
  const rename = async () => {
    throw Object.assign(new Error(code), { code, syscall: 'rename' });
  };
  const store = new DiskTagStore(await open({ files: { rename } }));
  await expect(store.put(key, latest, { ...record, checkedAtMs: 2 })).rejects.toBeInstanceOf(type);
  expect(await store.get(key, latest)).toEqual(record);
  expect(await readdir(join(folder.path, 'repositories/.temp'))).toEqual([]);
});

test('opening removes what a crash left half-written', async () => {
  const temp = join(folder.path, 'repositories/.temp');
  await mkdir(temp, { recursive: true });
  await writeFile(join(temp, '1'), 'half');
  await open();
  expect(await readdir(temp)).toEqual([]);
});

test('strangers are no revisions', async () => {
  const store = new DiskRevisionStore(await open());
  await store.put(key, { digest, mediaType: 'x', size: 1 });
  for (const path of ['stray', '%zz/a/_revisions/sha256/x', 'up/UPPER/_revisions/sha256/x']) {
    await mkdir(join(folder.path, 'repositories', dirname(path)), { recursive: true });
    await writeFile(join(folder.path, 'repositories', path), '{}');
  }
  const found = [];
  for await (const entry of store.list()) found.push(entry);
  expect(found).toEqual([{ key, record: { digest, mediaType: 'x', size: 1 } }]);
});

test('never more files open than allowed; too many waiting fail at once', async () => {
  let openNow = 0;
  let most = 0;
  const counting: FileSystem['open'] = async (path, flags, mode) => {
    openNow += 1;
    most = Math.max(most, openNow);
    const file = await nodeDiskFiles.open(path, flags, mode);
    const close = file.close.bind(file);
    return Object.assign(file, { close: () => close().finally(() => (openNow -= 1)) });
  };
  const store = new DiskTagStore(await open({ files: { open: counting }, maxOpenFiles: 2 }));
  await store.put(key, latest, record);
  const reads = await Promise.allSettled(Array.from({ length: 20 }, () => store.get(key, latest)));
  expect(most).toBe(2);
  expect(reads.filter(({ status }) => status === 'rejected')).toHaveLength(8);
});
