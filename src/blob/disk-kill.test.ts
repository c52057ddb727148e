import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../test/contracts/blob-store.ts';
import { makeTempFolder } from '../../test/fakes/temp-folder.ts';
import { systemClock } from '../base/clock.ts';
import { nodeDiskFiles } from '../base/disk-files.ts';
import { RangeSet } from '../base/range-set.ts';
import type { PartialBlob } from './blob-store.ts';
import { DiskBlobStore } from './disk-blob-store.ts';

const size = 4 * 1024 * 1024;
const stepBytes = 16 * 1024;
const cycles = 20;
const seed = 20_261_121;

/** Content that says of each position what belongs there. */
const content = Buffer.alloc(size);
for (let index = 0; index < size; index += 4) content.writeUInt32LE(index, index);
const digest = digestOf(content);

function openStore(root: string): Promise<DiskBlobStore> {
  return DiskBlobStore.open({ root, reserveBytes: 0, files: nodeDiskFiles, clock: systemClock });
}

/** Runs in a process of its own: fills what is missing in steps, and says after each checkpoint how much is safe. */
function writerProgram(root: string): string {
  const source = (path: string): string => JSON.stringify(join(import.meta.dirname, path));
  return `
    const { DiskBlobStore } = await import(${source('disk-blob-store.ts')});
    const { nodeDiskFiles } = await import(${source('../base/disk-files.ts')});
    const { systemClock } = await import(${source('../base/clock.ts')});
    const content = Buffer.alloc(${size});
    for (let index = 0; index < ${size}; index += 4) content.writeUInt32LE(index, index);
    const store = await DiskBlobStore.open({
      root: ${JSON.stringify(root)}, reserveBytes: 0, files: nodeDiskFiles, clock: systemClock });
    const partial = await store.openPartial(${JSON.stringify(digest)});
    partial.size = ${size};
    for (const gap of partial.present.missing({ start: 0, end: ${size} })) {
      for (let at = gap.start; at < gap.end; at += ${stepBytes}) {
        const end = Math.min(at + ${stepBytes}, gap.end);
        await partial.write([content.subarray(at, end)], at);
        await partial.checkpoint();
        process.stdout.write(at + ' ' + end + '\\n');
      }
    }
    await partial.commit();
    process.stdout.write('committed\\n');
    setInterval(() => {}, 1000);`;
}

/** Starts a writer, kills it after so many bytes of its report, and gives back what it reported. */
async function runAndKill(root: string, afterReports: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', writerProgram(root)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (text.split('\n').length > afterReports || text.includes('committed')) child.kill('SIGKILL');
  });
  await once(child.stdout, 'close');
  await exited;
  return text.split('\n').slice(0, -1);
}

async function expectRight(partial: PartialBlob): Promise<void> {
  for (const { start, end } of partial.present.spans) {
    const found = Buffer.alloc(end - start);
    for (let length = 0; length < found.length;) {
      length += await partial.read(found.subarray(length), start + length);
    }
    expect(found.equals(content.subarray(start, end)), `bytes from ${start} to ${end}`).toBe(true);
  }
}

test(
  `a writer killed ${cycles} times: what is claimed is right, what was reported is there`,
  { timeout: 60_000 },
  async () => {
    const folder = await makeTempFolder();
    const random = mulberry32(seed);
    const reported = new RangeSet();
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const lines = await runAndKill(folder.path, 1 + Math.floor(random() * 10));
      const store = await openStore(folder.path);
      if ((await store.stat(digest)) !== undefined) break;
      for (const line of lines) {
        const [start, end] = line.split(' ').map(Number);
        reported.add({ start: start!, end: end! });
      }
      const partial = await store.openPartial(digest);
      for (const span of reported.spans) expect(partial.present.covers(span)).toBe(true);
      await expectRight(partial);
      // Somewhere else too, so that the next writer finds holes.
      const at = Math.floor(random() * (size / stepBytes)) * stepBytes;
      await partial.write([content.subarray(at, at + stepBytes)], at);
      reported.add({ start: at, end: at + stepBytes });
      await partial.keep();
      await partial.close();
    }
    expect(reported.spans.length).toBeGreaterThan(1);
    const rest = await runAndKill(folder.path, Number.POSITIVE_INFINITY);
    expect(rest.at(-1)).toBe('committed');
    const source = (await (await openStore(folder.path)).open(digest))!;
    const found = Buffer.alloc(size);
    for (let length = 0; length < size;) length += await source.read(found.subarray(length));
    await source.close();
    expect(found.equals(content)).toBe(true);
    await folder.remove();
  },
);

/** A small seeded generator, so that a failing run can be had again. */
function mulberry32(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
