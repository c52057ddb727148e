import { Broadcast } from '../../src/base/broadcast.ts';
import { Limiter } from '../../src/base/limiter.ts';
import type { ImageWarming } from '../../src/cache/image-warming.ts';
import type { Platform } from '../../src/oci/platform.ts';
import type { WarmEvent } from '../../src/protocol/admin-api.ts';
import { errorBody } from './api-error.ts';
import type { ImageNames } from './image-names.ts';

export interface WarmRunOptions {
  readonly names: ImageNames;
  readonly warming: Pick<ImageWarming, 'warm'>;
  readonly maxImagesAtOnce: number;
}

export interface WarmOrder {
  /** As people write them; each is brought once. */
  readonly images: readonly string[];
  readonly platforms: readonly Platform[] | undefined;
  /** Ends the run: images that have not begun are left out. */
  readonly signal: AbortSignal;
}

/** Brings a list of images into the cache and tells how each one went; the report comes last. Never fails. */
export async function* warmRun(options: WarmRunOptions, order: WarmOrder): AsyncGenerator<WarmEvent> {
  const images = [...new Set(order.images)];
  const limiter = new Limiter({
    name: 'warming',
    concurrency: options.maxImagesAtOnce,
    maxQueued: images.length,
  });
  const left = new AbortController();
  const signal = AbortSignal.any([order.signal, left.signal]);
  // At most two events an image: a reader that is slow holds up no more than that.
  const events: WarmEvent[] = [];
  const progress = new Broadcast();
  const tell = (event: WarmEvent): void => {
    events.push(event);
    progress.notify();
  };
  let running = images.length;
  const work = images.map(async (image) => {
    const brought = async (): Promise<void> => {
      tell({ event: 'started', image });
      tell(await warmOne(options, { image, platforms: order.platforms, signal }));
    };
    await limiter.run(brought, signal).catch((error: unknown) => {
      tell({ event: 'failed', image, ...errorBody(error) });
    });
    running -= 1;
    progress.notify();
  });
  const totals = { done: 0, failed: 0, fetchedBytes: 0 };
  try {
    for (;;) {
      const changed = progress.wait();
      for (let event = events.shift(); event !== undefined; event = events.shift()) {
        if (event.event === 'done') {
          totals.done += 1;
          totals.fetchedBytes += event.fetchedBytes;
        }
        if (event.event === 'failed') totals.failed += 1;
        yield event;
      }
      if (running === 0 && events.length === 0) break;
      await changed;
    }
    yield { event: 'report', ...totals };
  } finally {
    left.abort(new WarmingLeftError('nobody listens any more'));
    await Promise.all(work);
  }
}

/** Whoever asked for it has gone. */
export class WarmingLeftError extends Error {
  override readonly name = 'WarmingLeftError';
  readonly code = 'LEFT';
}

async function warmOne(
  { names, warming }: WarmRunOptions,
  {
    image,
    platforms,
    signal,
  }: { image: string; platforms: readonly Platform[] | undefined; signal: AbortSignal },
): Promise<WarmEvent> {
  try {
    const { repository, reference } = names.find(image);
    const { blobs, digest, fetchedBytes, presentBytes } = await warming.warm({
      repository,
      reference,
      platforms,
      signal,
    });
    return { event: 'done', image, digest, blobs, fetchedBytes, presentBytes };
  } catch (error) {
    return { event: 'failed', image, ...errorBody(error) };
  }
}
