import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../test/contracts/blob-store.ts';
import { observedDisk } from '../../test/fakes/observed-disk.ts';
import { PowerLossDisk } from '../../test/fakes/power-loss-disk.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { DiskBlobStore } from './disk-blob-store.ts';

const content = Buffer.from('some content');
const digest = digestOf(content);

/** Calls whose name and path match `held` wait until `letGo`. */
let held: RegExp;
let letGo: () => void;
let calls: string[];
let store: DiskBlobStore;

beforeEach(async () => {
  held = /nothing/;
  calls = [];
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const files = observedDisk(new PowerLossDisk(), async (call, path) => {
    calls.push(`${call} ${path.split('/').at(-1)}`);
    if (held.test(`${call} ${path}`)) await gate;
  });
  store = await DiskBlobStore.open({ root: '/s', reserveBytes: 0, files, clock: new ManualClock() });
});
afterEach(() => {
  letGo();
});

/** Lets everything run that waits for promises alone; the disk in memory waits for nothing else. */
async function quiet(): Promise<void> {
  for (let count = 0; count < 20; count += 1) await turn();
}

function isSettled(promise: Promise<unknown>): () => boolean {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  return () => settled;
}

test('a put waits for the commit whose blob is visible but not durable yet', async () => {
  held = /^sync .*\/blobs\/sha256\/..$/;
  const partial = await store.openPartial(digest);
  await partial.write([content], 0);
  const commit = partial.commit();
  await quiet();
  expect(await store.stat(digest)).toEqual({ size: content.length });
  const put = store.put(digest, content);
  const putIsSettled = isSettled(put);
  await quiet();
  expect(putIsSettled()).toBe(false);
  letGo();
  await Promise.all([commit, put]);
  await partial.close();
});

test.each(['commit', 'keep', 'discard'] as const)('%s waits for the writes under way', async (ending) => {
  held = /^writev .*\.part$/;
  const partial = await store.openPartial(digest);
  const write = partial.write([content], 0);
  const end = partial[ending]();
  const endIsSettled = isSettled(end);
  await quiet();
  expect(endIsSettled()).toBe(false);
  letGo();
  await Promise.all([write, end]);
  if (ending === 'commit') expect(await store.stat(digest)).toEqual({ size: content.length });
  await partial.close();
});

test('bytes written while a checkpoint syncs are not in its record', async () => {
  held = /^datasync .*\.part$/;
  const partial = await store.openPartial(digest);
  await partial.write([content.subarray(0, 4)], 0);
  const checkpoint = partial.checkpoint();
  await quiet();
  await partial.write([content.subarray(4)], 4);
  letGo();
  await checkpoint;
  await partial.close();
  const again = await store.openPartial(digest);
  expect(again.present.spans).toEqual([{ start: 0, end: 4 }]);
  await again.discard();
  await again.close();
});

test('checkpoints that wait for their turn share one', async () => {
  held = /^datasync .*\.part$/;
  const partial = await store.openPartial(digest);
  await partial.write([content.subarray(0, 4)], 0);
  const first = partial.checkpoint();
  await quiet();
  await partial.write([content.subarray(4)], 4);
  const others = Array.from({ length: 5 }, () => partial.checkpoint());
  letGo();
  await Promise.all([first, ...others]);
  expect(calls.filter((call) => call.startsWith('datasync') && call.endsWith('.part'))).toHaveLength(2);
  await partial.discard();
  await partial.close();
});

test('a checkpoint that has nothing new does nothing', async () => {
  const partial = await store.openPartial(digest);
  await partial.write([content], 0);
  await partial.checkpoint();
  calls.length = 0;
  await partial.checkpoint();
  expect(calls).toEqual([]);
  partial.size = content.length;
  await partial.checkpoint();
  expect(calls).not.toEqual([]);
  await partial.discard();
  await partial.close();
});

test('the record goes for good before the bytes do', async () => {
  const partial = await store.openPartial(digest);
  await partial.write([content], 0);
  await partial.keep();
  await partial.close();
  calls.length = 0;
  await store.removePartial(digest);
  const name = `sha256-${digest.slice('sha256:'.length)}`;
  expect(calls).toEqual([
    `unlink ${name}.ranges`,
    'open partials',
    'sync partials',
    'close partials',
    `unlink ${name}.part`,
  ]);
});
