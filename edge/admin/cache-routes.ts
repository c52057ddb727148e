import { Hono, type Context } from 'hono';
import { z } from 'zod';
import type { Clock } from '../../src/base/clock.ts';
import { parseDurationMs } from '../../src/base/duration.ts';
import {
  formatInventoryName,
  parseInventoryName,
  type CacheInventory,
  type InventoryEntry,
} from '../../src/cache/cache-inventory.ts';
import type { ImagePins } from '../../src/cache/image-pins.ts';
import type { ImageRemoval } from '../../src/cache/image-removal.ts';
import type { ManifestCache } from '../../src/cache/manifest-cache.ts';
import type { CachePage, PinnedImage, RefreshedImage, RemovedImages } from '../../src/protocol/admin-api.ts';
import { RequestError } from './api-error.ts';
import { cachedImage, cachedImageDetail } from './cached-image.ts';
import type { ImageNames, NamedImage } from './image-names.ts';
import { checked, readBody } from './request-body.ts';

export interface CacheRoutesOptions {
  readonly names: ImageNames;
  readonly inventory: CacheInventory;
  readonly pins: ImagePins;
  readonly removal: ImageRemoval;
  readonly manifests: Pick<ManifestCache, 'refresh'>;
  readonly clock: Clock;
}

const listQuery = z.object({
  upstream: z.string().optional(),
  repository: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  after: z.string().optional(),
});

const pinBody = z
  .object({
    until: z.iso.datetime({ offset: true }).optional(),
    for: z.string().optional(),
  })
  .strict();

const maxPinMs = 10 * 365 * 86_400_000;

/** What is in the cache, image by image: `/cache`, `/cache/<image>`, `/cache/<image>/refresh|pin|unpin`. */
export function cacheRoutes(options: CacheRoutesOptions): Hono {
  const { inventory, names, removal } = options;
  const app = new Hono();
  app.get('/cache', async (context) => {
    const { after, ...query } = checked(context.req.query(), listQuery);
    const behind = after === undefined ? undefined : parseInventoryName(after);
    if (after !== undefined && behind === undefined) {
      throw new RequestError('INVALID', 'after: expected the "next" of the page before');
    }
    const { entries, next } = await inventory.list({ ...query, after: behind });
    const page: CachePage = {
      images: entries.map(cachedImage),
      ...(next === undefined ? {} : { next: formatInventoryName(next) }),
    };
    return context.json(page);
  });
  app.get('/cache/*', async (context) => {
    const { entry } = await known(options, imageIn(context));
    return context.json(cachedImageDetail(entry));
  });
  app.delete('/cache/*', async (context) => {
    const text = imageIn(context);
    const isWhole = context.req.query('all') === 'true';
    const { key, reference } = isWhole
      ? { ...names.findRepository(text), reference: undefined }
      : names.find(text);
    const removed: RemovedImages | undefined = await removal.remove(key, reference);
    if (removed === undefined) throw notCached(text);
    return context.json(removed);
  });
  app.post('/cache/*', async (context) => {
    const path = imageIn(context);
    const slash = path.lastIndexOf('/');
    const [image, action] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
    switch (action) {
      case 'refresh':
        return context.json(await refresh(options, image));
      case 'pin':
        return context.json(await pin(options, image, await readBody(context, pinBody)));
      case 'unpin':
        return context.json(await unpin(options, image));
      default:
        throw new RequestError('NOT_FOUND', 'expected .../refresh, .../pin or .../unpin behind the image');
    }
  });
  return app;
}

async function refresh(
  { inventory, manifests, names }: CacheRoutesOptions,
  text: string,
): Promise<RefreshedImage> {
  const named = names.find(text);
  const before = await inventory.describe(named);
  const { digest } = await manifests.refresh(named.repository, named.reference);
  const previous = before === undefined ? {} : { previousDigest: before.digest };
  return { image: formatInventoryName(named), digest, ...previous };
}

async function pin(
  options: CacheRoutesOptions,
  text: string,
  body: z.output<typeof pinBody>,
): Promise<PinnedImage> {
  const untilMs = pinnedUntil(body, options.clock.nowMs());
  const { named, entry } = await known(options, text);
  options.pins.pin(entry.contents?.digests ?? [entry.digest], untilMs);
  const after = await options.inventory.describe(named);
  const shownMs = after?.pinnedUntilMs ?? untilMs;
  const complete = entry.contents?.platforms.every((platform) => platform.complete) ?? false;
  return { image: formatInventoryName(named), pinnedUntil: new Date(shownMs).toISOString(), complete };
}

async function unpin(options: CacheRoutesOptions, text: string): Promise<PinnedImage> {
  const { named, entry } = await known(options, text);
  await options.pins.unpin(entry.contents?.digests ?? new Set([entry.digest]));
  const after = await options.inventory.describe(named);
  const still = after?.pinnedUntilMs;
  return {
    image: formatInventoryName(named),
    complete: entry.contents?.complete ?? false,
    ...(still === undefined ? {} : { pinnedUntil: new Date(still).toISOString() }),
  };
}

function pinnedUntil(body: z.output<typeof pinBody>, nowMs: number): number {
  const lengthMs = body.for === undefined ? undefined : parseDurationMs(body.for);
  if ((body.until === undefined) === (body.for === undefined)) {
    throw new RequestError(
      'INVALID',
      'say one of "until", a time in ISO 8601, and "for", a duration such as 30d',
    );
  }
  if (body.for !== undefined && lengthMs === undefined) {
    throw new RequestError(
      'INVALID',
      `for: expected a duration such as 30d, got ${JSON.stringify(body.for)}`,
    );
  }
  const untilMs = body.until === undefined ? nowMs + (lengthMs ?? 0) : Date.parse(body.until);
  if (untilMs <= nowMs) throw new RequestError('INVALID', 'the pin would have ended already');
  if (untilMs > nowMs + maxPinMs) throw new RequestError('INVALID', 'a pin lasts ten years at most');
  return untilMs;
}

async function known(
  { inventory, names }: CacheRoutesOptions,
  text: string,
): Promise<{ readonly named: NamedImage; readonly entry: InventoryEntry }> {
  const named = names.find(text);
  const entry = await inventory.describe(named);
  if (entry === undefined) throw notCached(formatInventoryName(named));
  return { named, entry };
}

function notCached(image: string): RequestError {
  return new RequestError('NOT_FOUND', `${image} is not in the cache`);
}

const prefix = '/api/cache/';

/** What stands behind `/api/cache/`, decoded. */
function imageIn(context: Context): string {
  const { pathname } = new URL(context.req.url);
  try {
    return decodeURIComponent(pathname.slice(prefix.length));
  } catch {
    throw new RequestError('INVALID', 'the path is not encoded as a URL should be');
  }
}
