import { Hono } from 'hono';
import { z } from 'zod';
import type { Clock } from '../../src/base/clock.ts';
import type { CacheInventory } from '../../src/cache/cache-inventory.ts';
import type { UpstreamList } from '../../src/protocol/admin-api.ts';
import type { EdgeStatus } from '../status/edge-status.ts';
import { RequestError } from './api-error.ts';
import type { ImageNames } from './image-names.ts';
import { readBody } from './request-body.ts';
import { hubSubject, testUpstream, type TestedUpstream, type TestSubject } from './upstream-test.ts';

export interface UpstreamRoutesOptions {
  readonly report: () => Pick<EdgeStatus, 'upstreams'>;
  readonly upstreams: readonly TestedUpstream[];
  readonly names: ImageNames;
  readonly inventory: Pick<CacheInventory, 'list'>;
  readonly clock: Clock;
  /** What one test may take. */
  readonly testTimeoutMs: number;
}

const testBody = z.object({ image: z.string().min(1).optional() }).strict();

/** `GET /upstreams`, `POST /upstreams/<name>/test`. */
export function upstreamRoutes(options: UpstreamRoutesOptions): Hono {
  const { clock, report, testTimeoutMs, upstreams } = options;
  const app = new Hono();
  app.get('/upstreams', (context) => {
    const list: UpstreamList = {
      upstreams: report().upstreams.map(({ cachedBytes, name, rateLimits, state, url }) => ({
        name,
        url,
        state,
        cachedBytes,
        rateLimits,
      })),
    };
    return context.json(list);
  });
  app.post('/upstreams/:name/test', async (context) => {
    const name = context.req.param('name');
    const upstream = upstreams.find((one) => one.name === name);
    if (upstream === undefined) {
      const known = upstreams.map((one) => one.name).join(', ');
      throw new RequestError('NOT_FOUND', `${name} is no upstream of this edge; it has ${known}`);
    }
    const { image } = await readBody(context, testBody);
    const subject = await subjectOf(options, name, image);
    const late = new AbortController();
    const alarm = clock.schedule(testTimeoutMs, () => late.abort(new Error('the test took too long')));
    const signal = AbortSignal.any([context.req.raw.signal, late.signal]);
    try {
      return context.json(await testUpstream(upstream, subject, { clock, signal }));
    } finally {
      alarm.cancel();
    }
  });
  return app;
}

/** What to read: what the caller names, else something that is cached and so was there before. */
async function subjectOf(
  { inventory, names }: UpstreamRoutesOptions,
  upstream: string,
  image: string | undefined,
): Promise<TestSubject | undefined> {
  if (image !== undefined) {
    const isAddressed = image.startsWith(`${upstream}/`);
    const { key, reference } = names.find(isAddressed ? image : `${upstream}/${image}`);
    return { repository: key.repository, reference };
  }
  if (upstream === 'docker.io') return hubSubject();
  const { entries } = await inventory.list({ upstream, limit: 1 });
  const [first] = entries;
  return first && { repository: first.key.repository, reference: first.reference };
}
