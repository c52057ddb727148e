import { beforeEach, expect, it } from 'vitest';
import { app, CacheBench } from '../../test/fakes/cache-bench.ts';
import { content, image } from '../../test/fakes/images.ts';
import { parseReference } from '../oci/reference.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { PublicAccess, type ProbeSubject } from './public-access.ts';

const one = image();
const manifest: ProbeSubject = { kind: 'manifest', reference: parseReference('latest')! };
const layer: ProbeSubject = { kind: 'blob', digest: one.blobs[1]!.digest };
const listing: ProbeSubject = { kind: 'listing' };
const hourMs = 3_600_000;

let bench: CacheBench;
let access: PublicAccess;

beforeEach(() => {
  bench = new CacheBench();
  bench.addImage(one, 'latest');
  access = newAccess();
});

function newAccess(): PublicAccess {
  const { client, clock, index } = bench;
  return new PublicAccess({ anonymous: client, index, clock, lifetimeMs: hourMs });
}

async function isPublic(subject = manifest, name = app): Promise<boolean> {
  return access.isPublic({ upstream: 'docker.io', repository: name }, subject);
}

it.each([
  ['a manifest by HEAD', manifest, 'headManifest latest'],
  ['a blob by HEAD', layer, `headBlob ${one.blobs[1]!.digest}`],
  ['a listing by asking for it', listing, 'listTags '],
])('asks for %s', async (_, subject, call) => {
  expect(await isPublic(subject)).toBe(true);
  expect(bench.asked()).toEqual([call]);
});

it('asks one time for a whole repository within its lifetime, over a restart too', async () => {
  await isPublic();
  access = newAccess();
  await bench.clock.advance(hourMs - 1);
  expect(await isPublic(layer)).toBe(true);
  expect(bench.asked()).toHaveLength(1);
  await bench.clock.advance(1);
  expect(await isPublic()).toBe(true);
  expect(bench.asked()).toHaveLength(1);
});

it('asks once for all who wait', async () => {
  expect(await Promise.all([isPublic(), isPublic()])).toEqual([true, true]);
  expect(bench.asked()).toHaveLength(1);
});

it('takes no repository for another', async () => {
  await isPublic();
  expect(await isPublic(manifest, 'team/other' as RepositoryName)).toBe(false);
});

it.each(['absent', 'denied', 'credential'] as const)('%s is no, for a minute', async (kind) => {
  bench.fail(kind);
  expect(await isPublic()).toBe(false);
  bench.recover();
  await bench.clock.advance(59_999);
  expect(await isPublic()).toBe(false);
  expect(bench.asked()).toHaveLength(1);
  await bench.clock.advance(1);
  expect(await isPublic()).toBe(true);
});

it('what is absent says nothing about the rest of the repository', async () => {
  expect(await isPublic({ kind: 'blob', digest: content('absent').digest })).toBe(false);
  expect(await isPublic()).toBe(true);
});

it.each(['unavailable', 'throttled', 'malformed'] as const)(
  '%s: what was public stays so beyond its lifetime, what nobody knows fails',
  async (kind) => {
    await isPublic();
    await bench.clock.advance(24 * hourMs);
    bench.fail(kind);
    expect(await isPublic()).toBe(true);
    await expect(isPublic(manifest, 'team/other' as RepositoryName)).rejects.toMatchObject({ kind });
  },
);

it('a repository that was closed since is not public, in the outage that follows either', async () => {
  await isPublic();
  await bench.clock.advance(hourMs);
  bench.fail('denied');
  expect(await isPublic()).toBe(false);
  bench.fail('unavailable');
  await expect(isPublic(layer)).rejects.toMatchObject({ kind: 'unavailable' });
  await bench.clock.advance(60_000);
  await expect(isPublic()).rejects.toMatchObject({ kind: 'unavailable' });
});

it('a clock that ran ahead makes no answer last longer', async () => {
  bench.clock.jumpWall(24 * 365 * hourMs);
  await isPublic();
  bench.clock.jumpWall(-24 * 365 * hourMs);
  bench.asked();
  expect(await isPublic()).toBe(true);
  expect(bench.asked()).toHaveLength(1);
});
