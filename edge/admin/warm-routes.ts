import { Hono } from 'hono';
import { z } from 'zod';
import { parsePlatform } from '../../src/oci/platform.ts';
import type { WarmEvent } from '../../src/protocol/admin-api.ts';
import { RequestError } from './api-error.ts';
import { readBody } from './request-body.ts';
import { warmRun, type WarmRunOptions } from './warm-run.ts';

const maxImages = 10_000;

const warmBody = z
  .object({
    images: z.array(z.string().min(1)).min(1).max(maxImages),
    platforms: z.array(z.string()).min(1).max(64).optional(),
  })
  .strict();

/** `POST /cache/warm`: events as they come, a line each. The run ends when its caller leaves. */
export function warmRoutes(options: WarmRunOptions): Hono {
  const app = new Hono();
  app.post('/cache/warm', async (context) => {
    const { images, platforms } = await readBody(context, warmBody);
    const wanted = platforms?.map((text) => {
      const platform = parsePlatform(text);
      if (platform !== undefined) return platform;
      throw new RequestError('INVALID', `${JSON.stringify(text)} is no platform such as linux/amd64`);
    });
    const gone = new AbortController();
    const signal = AbortSignal.any([context.req.raw.signal, gone.signal]);
    const lines = toLines(warmRun(options, { images, platforms: wanted, signal }));
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { done, value } = await lines.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => gone.abort(reason),
    });
    return context.body(body, 200, { 'Content-Type': 'application/x-ndjson' });
  });
  return app;
}

async function* toLines(events: AsyncGenerator<WarmEvent>): AsyncGenerator<Uint8Array> {
  for await (const event of events) yield Buffer.from(`${JSON.stringify(event)}\n`);
}
