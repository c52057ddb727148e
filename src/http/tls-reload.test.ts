import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { selfSigned, type Certificate } from '../../test/fakes/fake-listener.ts';
import { makeTempFolder, type TempFolder } from '../../test/fakes/temp-folder.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { DiskTlsSource } from './disk-tls-source.ts';
import { RecordedLog } from './testing/start-test-server.ts';
import { TlsReload } from './tls-reload.ts';
import type { TlsFiles } from './tls-files.ts';

let first: Certificate;
let second: Certificate;
beforeAll(() => {
  [first, second] = [selfSigned(), selfSigned()];
});

let folder: TempFolder;
let source: DiskTlsSource;
let clock: ManualClock;
let log: RecordedLog;
let applied: TlsFiles[];
let reload: TlsReload;

async function write(files: Partial<Certificate>): Promise<void> {
  const { cert, key } = files;
  if (cert !== undefined) await writeFile(`${folder.path}/cert.pem`, cert);
  if (key !== undefined) await writeFile(`${folder.path}/key.pem`, key);
}

/** One look, to its end: it waits for the file system, and sleeps again when it is over. */
async function look(): Promise<void> {
  await clock.advance(1000);
  while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(async () => {
  folder = await makeTempFolder();
  await write(first);
  source = new DiskTlsSource({ cert: `${folder.path}/cert.pem`, key: `${folder.path}/key.pem` });
  [clock, log, applied] = [new ManualClock(), new RecordedLog(), []];
  reload = new TlsReload({
    listener: 'mirror',
    source,
    apply: (files) => void applied.push(files),
    intervalMs: 1000,
    clock,
    logger: log,
  });
  reload.start(await source.stamp());
});
afterEach(async () => {
  await reload.stop();
  await folder.remove();
});

const levels = (): readonly string[] => log.lines.map(({ level }) => level);

test('files that stay as they are are left alone', async () => {
  await look();
  await look();
  expect([applied, log.lines]).toEqual([[], []]);
});

test('a new pair is put in place once', async () => {
  await write(second);
  await look();
  await look();
  expect(applied).toEqual([second]);
  expect(levels()).toEqual(['info']);
});

test('a pair of which one half is written yet is refused, and taken when it is whole', async () => {
  await write({ cert: second.cert });
  await look();
  await look();
  expect(applied).toEqual([]);
  expect(levels()).toEqual(['error']);
  await write({ key: second.key });
  await look();
  expect(applied).toEqual([second]);
});

test.each([
  ['no PEM', async () => write({ cert: 'nonsense' })],
  ['a file that is gone', async () => rename(`${folder.path}/key.pem`, `${folder.path}/gone.pem`)],
])('%s leaves the old one in use and is logged once', async (_, spoilFiles) => {
  await spoilFiles();
  for (let round = 0; round < 3; round += 1) await look();
  expect(applied).toEqual([]);
  expect(levels()).toEqual(['error']);
  await write(second);
  await look();
  expect(applied).toEqual([second]);
});

test('links that are pointed elsewhere count as changed files', async () => {
  const at = (name: string): string => `${folder.path}/${name}`;
  for (const [name, { cert, key }] of Object.entries({ one: first, two: second })) {
    await mkdir(at(name));
    await writeFile(at(`${name}/cert.pem`), cert);
    await writeFile(at(`${name}/key.pem`), key);
  }
  await symlink('one', at('current'));
  const linked = new DiskTlsSource({ cert: at('current/cert.pem'), key: at('current/key.pem') });
  const before = await linked.stamp();
  await symlink('two', at('next'));
  await rename(at('next'), at('current'));
  expect(await linked.stamp()).not.toBe(before);
  expect(await linked.read()).toEqual(second);
});
