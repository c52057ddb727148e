import { rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTempFolder, type TempFolder } from '../../../test/fakes/temp-folder.ts';
import { nodeDiskFiles } from '../../base/disk-files.ts';
import { silentLogger } from '../../base/logger.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { WatchedFile } from './watched-file.ts';

const startMs = Date.UTC(2026, 0, 1);
let folder: TempFolder;
let path: string;
let clock: ManualClock;
let stats: number;
let reads: number;
let file: WatchedFile;

beforeEach(async () => {
  folder = await makeTempFolder();
  path = `${folder.path}/secret`;
  clock = new ManualClock(startMs);
  [stats, reads] = [0, 0];
  const files = {
    ...nodeDiskFiles,
    stat: async (at: string) => {
      stats += 1;
      return nodeDiskFiles.stat(at);
    },
    open: async (...args: Parameters<typeof nodeDiskFiles.open>) => {
      reads += 1;
      return nodeDiskFiles.open(...args);
    },
  };
  file = new WatchedFile({ path, files, clock, logger: silentLogger });
});

afterEach(async () => folder.remove());

/** `ageMs` before the clock's time. */
async function write(text: string, ageMs = 60_000): Promise<void> {
  await writeFile(path, text);
  const at = new Date(clock.nowMs() - ageMs);
  await utimes(path, at, at);
}

test.each([
  ['hush', 'hush'],
  ['hush\n', 'hush'],
  ['hush\r\n', 'hush'],
  ['hush\n\n', 'hush\n'],
  [' hush ', ' hush '],
])('%j is read as %j', async (written, expected) => {
  await write(written);
  expect(await file.text()).toBe(expected);
});

test('is looked at once a second, and read when it changed', async () => {
  await write('one');
  for (let time = 0; time < 10; time += 1) await file.text();
  expect([stats, reads]).toEqual([1, 1]);
  await clock.advance(1000);
  expect([await file.text(), stats, reads]).toEqual(['one', 2, 1]);
  await write('two', 0);
  await clock.advance(1000);
  expect(await file.text()).toBe('two');
});

test('a change within one tick of the time stamp is noticed', async () => {
  await write('one', 0);
  expect(await file.text()).toBe('one');
  await write('two', 0);
  await clock.advance(1000);
  expect(await file.text()).toBe('two');
});

test('a link that leads elsewhere is followed, as orchestrators replace secrets', async () => {
  await writeFile(`${folder.path}/a`, 'one');
  await writeFile(`${folder.path}/b`, 'other');
  await symlink('a', path);
  expect(await file.text()).toBe('one');
  await rm(path);
  await symlink('b', path);
  await clock.advance(1000);
  expect(await file.text()).toBe('other');
});

test.each([
  ['gone', async () => rm(path)],
  ['empty', async () => write('', 0)],
  ['too large', async () => write('x'.repeat(1024 * 1024 + 2), 0)],
])('the last content holds while the file is %s', async (_, spoil) => {
  await write('one');
  await file.text();
  await spoil();
  await clock.advance(1000);
  expect(await file.text()).toBe('one');
  await write('two', 0);
  await clock.advance(1000);
  expect(await file.text()).toBe('two');
});

test('one that never was there is an unusable credential', async () => {
  await expect(file.text()).rejects.toMatchObject({ name: 'UpstreamError', kind: 'credential' });
  await write('one');
  await clock.advance(1000);
  expect(await file.text()).toBe('one');
});
