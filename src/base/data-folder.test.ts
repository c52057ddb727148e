import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTempFolder, type TempFolder } from '../../test/fakes/temp-folder.ts';
import { DataFolder, type DataMigration } from './data-folder.ts';
import { nodeDiskFiles } from './disk-files.ts';

let temp: TempFolder;
let path: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  temp = await makeTempFolder();
  path = join(temp.path, 'data');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await temp.remove();
});

function open(migrations: readonly DataMigration[] = []): Promise<DataFolder> {
  return DataFolder.open({ path, migrations, files: nodeDiskFiles });
}

/** A process that opens the folder and then waits to be killed. */
async function startHolder(): Promise<ChildProcess> {
  const program = `
    const { DataFolder } = await import(${JSON.stringify(join(import.meta.dirname, 'data-folder.ts'))});
    const { nodeDiskFiles } = await import(${JSON.stringify(join(import.meta.dirname, 'disk-files.ts'))});
    await DataFolder.open({ path: ${JSON.stringify(path)}, migrations: [], files: nodeDiskFiles });
    process.stdout.write('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

test('makes the folder, private, with the format version', async () => {
  const folder = await open();
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect(await readFile(join(path, 'FORMAT'), 'utf8')).toBe('1\n');
  await folder.release();
});

test('a second process is turned away by name, and let in after the first was killed', async () => {
  const holder = await startHolder();
  await expect(open()).rejects.toMatchObject({
    code: 'DATA_FOLDER_LOCKED',
    message: `${path} is in use by process ${holder.pid} on host ${hostname()}`,
  });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const folder = await open();
  expect(await readFile(join(path, 'LOCK'), 'utf8')).toBe(`${process.pid} ${hostname()}\n`);
  await folder.release();
});

test('a record of a process that lives, but holds no lock, locks nothing out', async () => {
  await mkdir(path);
  await writeFile(join(path, 'LOCK'), `${process.ppid} ${hostname()}\n`);
  await (await open()).release();
});

test('of many that open at once exactly one gets it', async () => {
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => open()));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'DATA_FOLDER_LOCKED' });
    else await result.value.release();
  }
});

test('release lets the next one in, and may come twice', async () => {
  const first = await open();
  await first.release();
  const second = await open();
  await first.release();
  await expect(open()).rejects.toMatchObject({ code: 'DATA_FOLDER_LOCKED' });
  await second.release();
});

test('a newer format is refused with both versions, and not left locked', async () => {
  await mkdir(path);
  await writeFile(join(path, 'FORMAT'), '7\n');
  await expect(open()).rejects.toMatchObject({
    code: 'DATA_FOLDER_NEWER',
    message: expect.stringMatching(/version 7.*up to 1/) as string,
  });
  await writeFile(join(path, 'FORMAT'), '1\n');
  await (await open()).release();
});

test('an older format is migrated step by step, and a step that failed is done again', async () => {
  await (await open()).release();
  const ran: string[] = [];
  const step = (name: string, failures: number): DataMigration => {
    let left = failures;
    return async (folder) => {
      ran.push(`${name} ${folder === path}`);
      left -= 1;
      if (left >= 0) throw new Error(`${name} failed`);
    };
  };
  const migrations = [step('one', 0), step('two', 1), step('three', 0)];
  await expect(open(migrations)).rejects.toMatchObject({
    code: 'DATA_FOLDER_UNUSABLE',
    message: expect.stringContaining('two failed') as string,
  });
  await (await open(migrations)).release();
  expect(ran).toEqual(['one true', 'two true', 'two true', 'three true']);
  expect(await readFile(join(path, 'FORMAT'), 'utf8')).toBe('4\n');
});

test('a new folder needs no migration', async () => {
  const fail: DataMigration = async () => {
    throw new Error('not wanted');
  };
  await (await open([fail])).release();
  expect(await readFile(join(path, 'FORMAT'), 'utf8')).toBe('2\n');
});

test.each(['', 'one', '0', '-1', '1.5', '99999999999999999999'])('FORMAT %j is refused', async (text) => {
  await mkdir(path);
  await writeFile(join(path, 'FORMAT'), text);
  await expect(open()).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
});

test('a place where no folder can be made is refused, and does not hang', async () => {
  path = '/proc/no-such-place/data';
  await expect(open()).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
});

test('a file in the place of the folder', async () => {
  await writeFile(path, '');
  await expect(open()).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
});
