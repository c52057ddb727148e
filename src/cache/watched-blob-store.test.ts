import { expect, it } from 'vitest';
import { blobStoreContract } from '../../test/contracts/blob-store.ts';
import { content } from '../../test/fakes/images.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { MemoryBlobStore } from '../blob/memory-blob-store.ts';
import type { Digest } from '../oci/digest.ts';
import { WatchedBlobStore } from './watched-blob-store.ts';

const blob = content('blob');

function watched(memory: MemoryBlobStore): { store: WatchedBlobStore; left: Digest[] } {
  const left: Digest[] = [];
  return { store: new WatchedBlobStore(memory, (digest) => left.push(digest)), left };
}

function newMemory(): MemoryBlobStore {
  return new MemoryBlobStore({ maxBytes: Infinity, clock: new ManualClock() });
}

blobStoreContract('WatchedBlobStore', async () => {
  let memory = newMemory();
  return {
    store: watched(memory).store,
    crash: async () => {
      memory = memory.afterCrash();
      return watched(memory).store;
    },
    close: async () => undefined,
  };
});

it.each(['remove', 'quarantine'] as const)('tells after %s, when the blob is gone', async (leave) => {
  const memory = newMemory();
  const { store, left } = watched(memory);
  await store.put(blob.digest, blob.bytes);
  await store.open(blob.digest);
  expect(left).toEqual([]);
  await store[leave](blob.digest);
  expect(left).toEqual([blob.digest]);
  expect(await memory.stat(blob.digest)).toBeUndefined();
});

it.each(['remove', 'quarantine'] as const)(
  'tells of a failed %s too: nobody knows what is left',
  async (leave) => {
    const memory = newMemory();
    memory[leave] = async () => Promise.reject(new Error('disk'));
    const { store, left } = watched(memory);
    await expect(store[leave](blob.digest)).rejects.toThrow('disk');
    expect(left).toEqual([blob.digest]);
  },
);

it('tells of no unfinished blob', async () => {
  const { store, left } = watched(newMemory());
  await store.removePartial(blob.digest);
  expect(left).toEqual([]);
});
