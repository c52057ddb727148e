import { nodeDiskFiles } from '../../src/base/disk-files.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { DiskRevisionStore } from '../../src/tag/disk-revision-store.ts';
import { MemoryRevisionStore } from '../../src/tag/memory-revision-store.ts';
import { RepositoryRecords } from '../../src/tag/repository-records.ts';
import { makeTempFolder } from '../fakes/temp-folder.ts';
import { revisionStoreContract } from './revision-store.ts';

revisionStoreContract('MemoryRevisionStore', async () => ({
  store: new MemoryRevisionStore(),
  close: async () => undefined,
}));

revisionStoreContract('DiskRevisionStore', async () => {
  const folder = await makeTempFolder();
  const records = await RepositoryRecords.open({
    root: folder.path,
    maxOpenFiles: 4,
    maxWaiting: 1000,
    files: nodeDiskFiles,
    logger: silentLogger,
  });
  return { store: new DiskRevisionStore(records), close: folder.remove };
});
