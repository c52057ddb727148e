import { expect, test } from 'vitest';
import type { WarmRequest, WarmResult } from '../../src/cache/image-warming.ts';
import type { CachedUpstream } from '../../src/cache/cached-upstream.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { WarmEvent } from '../../src/protocol/admin-api.ts';
import { ImageNames } from './image-names.ts';
import { warmRun } from './warm-run.ts';

const upstream = { name: 'docker.io' } as CachedUpstream;
const names = new ImageNames({
  addressing: { upstreamNamed: (registry) => (registry === 'docker.io' ? 'docker.io' : undefined) },
  upstreams: new Map([['docker.io', upstream]]),
});
const result: WarmResult = {
  digest: `sha256:${'a'.repeat(64)}` as Digest,
  images: 1,
  blobs: 2,
  fetchedBytes: 10,
  presentBytes: 1,
};
const noSignal = new AbortController().signal;

test('as many at a time as allowed, the report last', async () => {
  let atOnce = 0;
  let most = 0;
  const warm = async (): Promise<WarmResult> => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await Promise.resolve();
    atOnce -= 1;
    return result;
  };
  const images = ['a', 'b', 'c', 'd', 'not a name'];
  const events: WarmEvent[] = [];
  const run = warmRun(
    { names, warming: { warm }, maxImagesAtOnce: 2 },
    { images, platforms: undefined, signal: noSignal },
  );
  for await (const event of run) events.push(event);
  expect(most).toBe(2);
  expect(events.at(-1)).toEqual({ event: 'report', done: 4, failed: 1, fetchedBytes: 40 });
  expect(events).toContainEqual(
    expect.objectContaining({
      event: 'failed',
      image: 'not a name',
      error: expect.objectContaining({ code: 'INVALID' }),
    }),
  );
});

test('whoever leaves ends what is running, and nothing else begins', async () => {
  let begun = 0;
  const warm = async ({ signal }: WarmRequest): Promise<WarmResult> => {
    begun += 1;
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => aborted.reject(signal.reason));
    return aborted.promise;
  };
  const run = warmRun(
    { names, warming: { warm }, maxImagesAtOnce: 1 },
    { images: ['a', 'b', 'c'], platforms: undefined, signal: noSignal },
  );
  expect((await run.next()).value).toEqual({ event: 'started', image: 'a' });
  await run.return(undefined);
  expect(begun).toBe(1);
});
