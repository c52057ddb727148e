import { nodeDiskFiles } from '../../src/base/disk-files.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { DiskTagStore } from '../../src/tag/disk-tag-store.ts';
import { MemoryTagStore } from '../../src/tag/memory-tag-store.ts';
import { RepositoryRecords } from '../../src/tag/repository-records.ts';
import { makeTempFolder } from '../fakes/temp-folder.ts';
import { tagStoreContract } from './tag-store.ts';

tagStoreContract('MemoryTagStore', async () => ({
  store: new MemoryTagStore(),
  close: async () => undefined,
}));

tagStoreContract('DiskTagStore', async () => {
  const folder = await makeTempFolder();
  const records = await RepositoryRecords.open({
    root: folder.path,
    maxOpenFiles: 4,
    maxWaiting: 1000,
    files: nodeDiskFiles,
    logger: silentLogger,
  });
  return { store: new DiskTagStore(records), close: folder.remove };
});
