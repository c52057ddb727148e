import { expect, test } from 'vitest';
import type { DiskFile } from '../base/file-system.ts';
import { DiskByteSource } from './disk-byte-source.ts';

/** A file of ten bytes whose reads end when the test says so. */
function slowFile() {
  const state = { isClosed: false, reads: [] as { finish: (bytesRead: number) => void; fail: () => void }[] };
  const refuse = (): never => {
    throw new Error('not wanted');
  };
  const file: DiskFile = {
    read: (into, offset, length) =>
      new Promise((resolve, reject) => {
        state.reads.push({
          finish: (bytesRead) => {
            into.fill(7, offset, offset + Math.min(length, bytesRead));
            resolve({ bytesRead });
          },
          fail: () => reject(Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read' })),
        });
      }),
    close: async () => {
      state.isClosed = true;
    },
    writev: refuse,
    stat: refuse,
    truncate: refuse,
    chmod: refuse,
    datasync: refuse,
    sync: refuse,
  };
  return { file, state };
}

async function settled(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

test.each(['finish', 'fail'] as const)(
  'close waits for the read that is pending, which rejects: %s',
  async (outcome) => {
    const { file, state } = slowFile();
    const source = new DiskByteSource(file, 0, 10);
    const into = Buffer.alloc(4);
    const events: string[] = [];
    const reading = source.read(into).catch((error: unknown) => {
      events.push('read rejected');
      expect(error).toMatchObject({ code: 'STORAGE_FAILED' });
    });
    const closing = Promise.all([source.close(), source.close()]).then(() => events.push('closed'));
    await settled();
    expect(events).toEqual([]); // the system may still write into `into`
    expect(state.isClosed).toBe(false);
    if (outcome === 'finish') state.reads[0]!.finish(4);
    else state.reads[0]!.fail();
    await Promise.all([reading, closing]);
    expect(events).toEqual(['read rejected', 'closed']);
    expect(state.isClosed).toBe(true);
  },
);

test('a file shorter than its blob is an error, not an end', async () => {
  const { file, state } = slowFile();
  const source = new DiskByteSource(file, 0, 10);
  const reading = source.read(Buffer.alloc(4));
  state.reads[0]!.finish(0);
  await expect(reading).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  await source.close();
});

test('two reads at once are a programming error', async () => {
  const { file, state } = slowFile();
  const source = new DiskByteSource(file, 0, 10);
  const first = source.read(Buffer.alloc(4));
  await expect(source.read(Buffer.alloc(4))).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
  state.reads[0]!.finish(4);
  expect(await first).toBe(4);
  await source.close();
});
