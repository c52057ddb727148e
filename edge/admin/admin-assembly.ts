import type { Hono } from 'hono';
import type { Clock } from '../../src/base/clock.ts';
import { Limiter } from '../../src/base/limiter.ts';
import type { Logger, LogLevel } from '../../src/base/logger.ts';
import type { CacheIndex } from '../../src/cache/cache-index.ts';
import { CacheInventory } from '../../src/cache/cache-inventory.ts';
import { ImageReader } from '../../src/cache/image-contents.ts';
import { ImagePins } from '../../src/cache/image-pins.ts';
import { ImageRemoval } from '../../src/cache/image-removal.ts';
import { ImageWarming } from '../../src/cache/image-warming.ts';
import type { RevisionStore, TagStore } from '../../src/tag/tag-store.ts';
import type { Addressing } from '../addressing.ts';
import type { EdgeCache } from '../cache-assembly.ts';
import type { EdgeStatus } from '../status/edge-status.ts';
import type { UpstreamSet } from '../upstream-set.ts';
import type { AdminAccess } from './admin-access.ts';
import { adminApi } from './admin-api.ts';
import { ImageNames } from './image-names.ts';

export interface AdminParts {
  readonly tags: TagStore;
  readonly revisions: RevisionStore;
  readonly index: CacheIndex;
  readonly cache: EdgeCache;
  readonly upstreams: Pick<UpstreamSet, 'cached' | 'clients'>;
  readonly addressing: Addressing;
  readonly report: () => EdgeStatus;
  readonly access: AdminAccess;
  readonly setLogLevel: (level: LogLevel) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Clients go first: warming leaves most of the connections to an upstream to them. */
const maxImagesAtOnce = 2;
const maxTransfersAtOnce = 4;
/** Blobs of the images at hand; one image has some tens. */
const maxTransfersWaiting = 20_000;
const testTimeoutMs = 30_000;

/** Puts the admin API together over the parts of a running edge. */
export function assembleAdminApi(parts: AdminParts): Hono {
  const { addressing, cache, upstreams } = parts;
  const { fills, manifests, store } = cache;
  const images = new ImageReader({ shelf: cache.shelf, blobs: store });
  const transfers = new Limiter({
    name: 'warming',
    concurrency: maxTransfersAtOnce,
    maxQueued: maxTransfersWaiting,
  });
  return adminApi({
    ...parts,
    manifests,
    names: new ImageNames({ addressing, upstreams: upstreams.cached }),
    inventory: new CacheInventory({ ...parts, images }),
    pins: new ImagePins(parts),
    removal: new ImageRemoval({ ...parts, blobs: store, manifests, fills }),
    warming: new ImageWarming({ manifests, blobs: cache.blobs, fills, store, transfers }),
    upstreams: upstreams.clients.map((client) => ({ name: client.name, url: client.url, client })),
    maxImagesAtOnce,
    testTimeoutMs,
  });
}
