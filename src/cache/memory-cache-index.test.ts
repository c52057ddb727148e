import { describeCacheIndex } from '../../test/contracts/cache-index.ts';
import { MemoryCacheIndex } from './memory-cache-index.ts';

describeCacheIndex('MemoryCacheIndex', () => new MemoryCacheIndex());
