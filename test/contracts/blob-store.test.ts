import assert from 'node:assert/strict';
import { systemClock } from '../../src/base/clock.ts';
import type { FileSystem } from '../../src/base/file-system.ts';
import { DiskBlobStore } from '../../src/blob/disk-blob-store.ts';
import { MemoryBlobStore } from '../../src/blob/memory-blob-store.ts';
import { type PowerLoss, PowerLossDisk } from '../fakes/power-loss-disk.ts';
import { makeTempFolder } from '../fakes/temp-folder.ts';
import { trackedDisk } from '../fakes/tracked-disk.ts';
import { blobStoreContract } from './blob-store.ts';

function openDisk(root: string, files: FileSystem): Promise<DiskBlobStore> {
  return DiskBlobStore.open({ root, reserveBytes: 0, files, clock: systemClock });
}

blobStoreContract('MemoryBlobStore', async () => {
  let store = new MemoryBlobStore({ maxBytes: Number.POSITIVE_INFINITY, clock: systemClock });
  return {
    store,
    crash: async () => {
      store = store.afterCrash();
      return store;
    },
    close: async () => undefined,
  };
});

blobStoreContract('DiskBlobStore', async () => {
  const folder = await makeTempFolder();
  const disk = trackedDisk();
  let crashed = false;
  return {
    store: await openDisk(folder.path, disk),
    crash: () => {
      crashed = true;
      return openDisk(folder.path, disk);
    },
    close: async () => {
      const leaked = [...disk.openFiles.values()];
      await disk.closeAll();
      await folder.remove();
      if (!crashed) assert.deepEqual(leaked, []);
    },
  };
});

const losses: readonly PowerLoss[] = [
  { entries: 'synced', data: 'synced' },
  { entries: 'all', data: 'synced' },
  { entries: 'synced', data: 'all' },
];

for (const loss of losses) {
  const name = `DiskBlobStore on a disk that keeps ${loss.entries} entries and ${loss.data} data`;
  blobStoreContract(name, async () => {
    let disk = new PowerLossDisk();
    return {
      store: await openDisk('/store', disk),
      crash: () => {
        disk = disk.afterPowerLoss(loss);
        return openDisk('/store', disk);
      },
      close: async () => undefined,
    };
  });
}
