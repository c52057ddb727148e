import { beforeEach, describe, expect, it } from 'vitest';
import { app, CacheBench } from '../../test/fakes/cache-bench.ts';
import { digestOf } from '../../test/contracts/cache-index.ts';
import { image } from '../../test/fakes/images.ts';
import type { ListingAnswer } from './listing-cache.ts';

const one = image();
const signature = { digest: digestOf(1), mediaType: 'x', size: 1, artifactType: 'sig', data: 'e30=' };

let bench: CacheBench;

beforeEach(() => {
  bench = new CacheBench();
  for (const tag of ['b', 'a', 'A', '10', '9']) bench.addImage(one, tag);
  bench.client.addReferrer(app, one.manifest.digest, signature);
});

const tags = async (): Promise<ListingAnswer<readonly string[]>> => bench.listings.tags(bench.repository());
const referrers = async (): Promise<ListingAnswer<readonly unknown[]>> =>
  bench.listings.referrers(bench.repository(), one.manifest.digest);

describe('tags', () => {
  it('come whole, in ASCII order, each once', async () => {
    bench.client.listTags = async () => ['b', 'a', 'B', 'a', '10', '9', '_'];
    expect((await tags()).value).toEqual(['10', '9', 'B', '_', 'a', 'b']);
  });

  it('of an unknown repository are NAME_UNKNOWN, remembered for ten seconds', async () => {
    bench.client.removeRepository(app);
    await expect(tags()).rejects.toMatchObject({ code: 'NAME_UNKNOWN', status: 404 });
    await bench.clock.advance(9_999);
    await expect(tags()).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
    expect(bench.asked()).toHaveLength(1);
    await bench.clock.advance(1);
    bench.addImage(one, 'back');
    expect((await tags()).value).toEqual(['back']);
  });
});

it('referrers come as the upstream gave them, unknown fields included', async () => {
  expect((await referrers()).value).toEqual([signature]);
  expect((await referrers()).value).toEqual([signature]);
  expect(bench.asked()).toHaveLength(1);
});

it('no referrers are an empty list', async () => {
  expect((await bench.listings.referrers(bench.repository(), digestOf(9))).value).toEqual([]);
});

describe.each([
  ['tags', tags],
  ['referrers', referrers],
] as const)('a list of %s', (_, list) => {
  it('is a miss, then a hit while it is fresh, then asked for again', async () => {
    expect((await list()).outcome).toMatchObject({ kind: 'forward', reason: 'miss' });
    await bench.clock.advance(59_999);
    expect((await list()).outcome).toEqual({ kind: 'hit' });
    await bench.clock.advance(1);
    expect((await list()).outcome).toMatchObject({ kind: 'forward', reason: 'stale' });
    expect(bench.asked()).toHaveLength(2);
  });

  it('is asked for once by all who come together', async () => {
    const outcomes = (await Promise.all([list(), list(), list()])).map(({ outcome }) => outcome);
    expect(bench.asked()).toHaveLength(1);
    expect(outcomes).toMatchObject([{ collapsed: false }, { collapsed: true }, { collapsed: true }]);
  });

  it('is served stale in an outage, for as long as the rule says', async () => {
    const { value } = await list();
    bench.fail('throttled');
    await bench.clock.advance(60_000 + bench.rule.staleIfErrorMs - 1);
    const stale = await list();
    expect(stale.value).toEqual(value);
    expect(stale.outcome).toEqual({
      kind: 'stale',
      ageMs: 60_000 + bench.rule.staleIfErrorMs - 1,
      overdueMs: bench.rule.staleIfErrorMs - 1,
      detail: 'throttled',
    });
    await bench.clock.advance(1);
    await expect(list()).rejects.toMatchObject({ status: 503 });
  });

  it('is 503 in an outage that came first', async () => {
    bench.fail('unavailable');
    await expect(list()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    bench.recover();
    await list();
  });

  it('is not served against a verdict', async () => {
    await list();
    bench.fail('denied');
    await bench.clock.advance(60_000);
    await expect(list()).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
  });
});
