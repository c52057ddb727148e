import { expect, it } from 'vitest';
import { digestOf, patternBytes } from '../../test/fakes/scripted-origin.ts';
import { silentLogger } from '../base/logger.ts';
import { MemoryByteSource } from '../blob/memory-byte-source.ts';
import { OciError } from '../oci/error.ts';
import { parseRepositoryName, type RepositoryName } from '../oci/repository-name.ts';
import { MemoryRevisionStore } from '../tag/memory-revision-store.ts';
import type { RepositoryKey } from '../tag/tag-store.ts';
import type { CachedUpstream } from './cached-upstream.ts';
import { hit } from './cache-outcome.ts';
import { hotManifest } from './hot-manifests.ts';
import { MemoryCacheIndex } from './memory-cache-index.ts';
import { Refetch } from './refetch.ts';

const bytes = patternBytes(700_000);
const digest = digestOf(bytes);
const keyOf = (name: string, upstream = 'docker.io'): RepositoryKey => ({
  upstream,
  repository: parseRepositoryName(name) as RepositoryName,
});

function bench(options: { breakerOpen?: boolean; refusing?: readonly string[] } = {}) {
  const index = new MemoryCacheIndex();
  const revisions = new MemoryRevisionStore();
  const asked: string[] = [];
  const delivered: number[] = [];
  const upstream = {
    name: 'docker.io',
    health: () => ({ away: false, breakerOpen: options.breakerOpen ?? false, answeredAtMs: 0 }),
  } as unknown as CachedUpstream;
  const refetch = new Refetch({
    index,
    revisions,
    logger: silentLogger,
    upstreams: new Map([['docker.io', upstream]]),
    blobs: {
      find: async ({ key }) => {
        asked.push(key.repository);
        if (options.refusing?.includes(key.repository) === true) throw new OciError('BLOB_UNKNOWN');
        const source = new MemoryByteSource(bytes);
        const read = async (into: Uint8Array): Promise<number> => {
          const count = await source.read(into);
          delivered.push(count);
          return count;
        };
        const close = async (): Promise<void> => source.close();
        return {
          digest,
          size: bytes.length,
          outcome: hit,
          open: async () => ({ length: bytes.length, read, close }),
        };
      },
    },
    manifests: {
      get: async ({ key }, reference) => {
        asked.push(`manifest ${key.repository} ${reference.kind}`);
        return { manifest: hotManifest(digest, 'text/plain', bytes), outcome: hit };
      },
    },
  });
  return { index, revisions, asked, delivered, refetch };
}

it('reads a lost blob to its end from a repository that holds it', async () => {
  const { index, asked, delivered, refetch } = bench();
  index.link(keyOf('team/app'), [{ digest, size: bytes.length }]);
  expect(await refetch.fetch(digest)).toBe(true);
  expect(asked).toEqual(['team/app']);
  expect(delivered.reduce((sum, count) => sum + count, 0)).toBe(bytes.length);
});

it('asks for a lost manifest as a manifest', async () => {
  const { index, revisions, asked, refetch } = bench();
  index.link(keyOf('team/app'), [{ digest, size: 1 }]);
  await revisions.put(keyOf('team/app'), { digest, mediaType: 'text/plain', size: 1 });
  expect(await refetch.fetch(digest)).toBe(true);
  expect(asked).toEqual(['manifest team/app digest']);
});

it('tries the next repository when one refuses', async () => {
  const { index, asked, refetch } = bench({ refusing: ['team/one'] });
  for (const name of ['team/one', 'team/two']) index.link(keyOf(name), [{ digest, size: bytes.length }]);
  expect(await refetch.fetch(digest)).toBe(true);
  expect(asked.at(-1)).toBe('team/two');
});

it.each([
  ['nobody holds', {}, undefined],
  ['the holder of which is no longer configured', {}, keyOf('team/app', 'gone.example')],
  ['the upstream of which is away', { breakerOpen: true }, keyOf('team/app')],
  ['which the upstream refuses', { refusing: ['team/app'] }, keyOf('team/app')],
])('leaves a blob %s to the next pull', async (_title, options, key) => {
  const { index, refetch } = bench(options);
  if (key !== undefined) index.link(key, [{ digest, size: bytes.length }]);
  expect(await refetch.fetch(digest)).toBe(false);
});
