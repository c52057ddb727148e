import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CacheIndex, UsageEntry } from '../../src/cache/cache-index.ts';
import { parseDigest, type Digest } from '../../src/oci/digest.ts';
import { parseRepositoryName } from '../../src/oci/repository-name.ts';
import type { RepositoryKey } from '../../src/tag/tag-store.ts';

export function digestOf(seed: number): Digest {
  return parseDigest(`sha256:${seed.toString(16).padStart(64, '0')}`)!;
}

export function repository(name: string, upstream = 'docker.io'): RepositoryKey {
  return { upstream, repository: parseRepositoryName(name)! };
}

export function entry(seed: number, fields: Partial<UsageEntry> = {}): UsageEntry {
  return {
    digest: digestOf(seed),
    size: 100,
    upstream: 'docker.io',
    usedAtMs: seed,
    children: [],
    ...fields,
  };
}

/** What every adapter of the index keeps. `open` gives an empty index. */
export function describeCacheIndex(name: string, open: () => CacheIndex): void {
  describe(`${name} keeps the contract of CacheIndex`, () => {
    let index: CacheIndex;
    beforeEach(() => {
      index = open();
    });
    afterEach(() => index.close());

    const alpine = repository('library/alpine');
    const oldestSeeds = (options: { upstream?: string; limit?: number; nowMs?: number } = {}): number[] =>
      index
        .oldest({ limit: 100, nowMs: 0, ...options })
        .map(({ digest }) => Number.parseInt(digest.slice(-8), 16));

    describe('links', () => {
      test('a digest is linked in its repository and in no other', () => {
        index.link(alpine, [{ digest: digestOf(1), size: 7 }]);
        expect(index.linked(alpine, digestOf(1))).toEqual({ digest: digestOf(1), size: 7 });
        expect(index.linked(alpine, digestOf(2))).toBeUndefined();
        expect(index.linked(repository('library/alpin'), digestOf(1))).toBeUndefined();
        expect(index.linked(repository('library/alpine', 'ghcr.io'), digestOf(1))).toBeUndefined();
      });

      test('a sha512 digest is another one', () => {
        const digest = parseDigest(`sha512:${'0'.repeat(127)}1`)!;
        index.link(alpine, [{ digest, size: undefined }]);
        expect(index.linked(alpine, digest)).toEqual({ digest, size: undefined });
        expect(index.linked(alpine, digestOf(1))).toBeUndefined();
      });

      test('a size once told is kept when a later link tells none', () => {
        index.link(alpine, [{ digest: digestOf(1), size: 0 }]);
        index.link(alpine, [{ digest: digestOf(1), size: undefined }]);
        expect(index.linked(alpine, digestOf(1))?.size).toBe(0);
      });

      test('names the repositories that link a digest, as many as asked for', () => {
        const other = repository('library/other', 'ghcr.io');
        for (const key of [alpine, other]) index.link(key, [{ digest: digestOf(1), size: 1 }]);
        index.link(alpine, [{ digest: digestOf(2), size: 2 }]);
        expect(new Set(index.holders(digestOf(1), 9))).toEqual(new Set([alpine, other]));
        expect(index.holders(digestOf(1), 1).length).toBe(1);
        expect(index.holders(digestOf(2), 9)).toEqual([alpine]);
        index.unlink(alpine, digestOf(2));
        expect(index.holders(digestOf(2), 9)).toEqual([]);
      });

      test('unlink takes one away', () => {
        index.link(alpine, [
          { digest: digestOf(1), size: 1 },
          { digest: digestOf(2), size: 2 },
        ]);
        index.unlink(alpine, digestOf(1));
        expect(index.linked(alpine, digestOf(1))).toBeUndefined();
        expect(index.linked(alpine, digestOf(2))).toBeDefined();
      });

      test('unlinkAll takes all of one repository, its listings too', () => {
        const sibling = repository('library/alpine/sub');
        for (const key of [alpine, sibling]) {
          index.link(key, [{ digest: digestOf(1), size: 1 }]);
          index.putListing(key, 'tags', { body: '[]', checkedAtMs: 1 });
        }
        index.unlinkAll(alpine);
        expect(index.linked(alpine, digestOf(1))).toBeUndefined();
        expect(index.listing(alpine, 'tags')).toBeUndefined();
        expect(index.linked(sibling, digestOf(1))).toBeDefined();
        expect(index.listing(sibling, 'tags')).toBeDefined();
      });

      test('what was taken away can be linked again', () => {
        index.link(alpine, [{ digest: digestOf(1), size: 1 }]);
        index.unlinkAll(alpine);
        index.link(alpine, [{ digest: digestOf(1), size: 1 }]);
        expect(index.linked(alpine, digestOf(1))).toBeDefined();
      });
    });

    describe('usage', () => {
      test('an entry comes back as it was recorded', () => {
        const manifest = entry(5, { children: [digestOf(6), digestOf(7)] });
        index.record(manifest);
        expect(index.usage(manifest.digest)).toEqual(manifest);
        expect(index.usage(digestOf(6))).toBeUndefined();
      });

      test('it counts against the upstream that filled it first', () => {
        index.record(entry(1, { upstream: 'ghcr.io' }));
        index.record(entry(1, { upstream: 'quay.io' }));
        expect(index.usage(digestOf(1))?.upstream).toBe('ghcr.io');
      });

      test('an upstream claims what belonged to none', () => {
        index.record(entry(1, { upstream: '' }));
        index.record(entry(1, { upstream: 'quay.io' }));
        expect([...index.totals().bytesByUpstream]).toEqual([['quay.io', 100]]);
      });

      test('an older use does not hide a newer one', () => {
        index.record(entry(9));
        index.record(entry(9, { usedAtMs: 3 }));
        index.touch(digestOf(9), 4);
        expect(index.usage(digestOf(9))?.usedAtMs).toBe(9);
      });

      test('totals follow what comes and goes', () => {
        index.record(entry(1, { size: 10 }));
        index.record(entry(1, { size: 10 }));
        index.record(entry(2, { size: 0 }));
        index.record(entry(3, { size: 5, upstream: 'ghcr.io' }));
        expect(index.totals()).toMatchObject({ blobs: 3, bytes: 15 });
        index.forget(digestOf(1));
        index.forget(digestOf(1));
        expect(index.totals()).toMatchObject({ blobs: 2, bytes: 5 });
        expect([...index.totals().bytesByUpstream]).toEqual([['ghcr.io', 5]]);
      });
    });

    describe('order of eviction', () => {
      test('the longest unused first, at most as many as asked for', () => {
        for (const seed of [3, 1, 2]) index.record(entry(seed));
        index.touch(digestOf(1), 10);
        expect(oldestSeeds()).toEqual([2, 3, 1]);
        expect(oldestSeeds({ limit: 2 })).toEqual([2, 3]);
      });

      test('one upstream alone', () => {
        index.record(entry(1));
        index.record(entry(2, { upstream: 'ghcr.io' }));
        index.record(entry(3, { upstream: '' }));
        expect(oldestSeeds({ upstream: 'ghcr.io' })).toEqual([2]);
        expect(oldestSeeds({ upstream: '' })).toEqual([3]);
      });

      test('the use of an index is the use of all that its images need', () => {
        index.record(entry(1));
        index.record(entry(2));
        index.record(entry(3, { children: [digestOf(1)] }));
        index.record(entry(4, { children: [digestOf(3), digestOf(99)] }));
        index.touch(digestOf(4), 50);
        expect(oldestSeeds()[0]).toBe(2);
        expect([1, 3, 4].map((seed) => index.usage(digestOf(seed))?.usedAtMs)).toEqual([50, 50, 50]);
      });

      test('a manifest that comes in is a use of the blobs that are here already', () => {
        index.record(entry(1));
        index.record(entry(2));
        index.record(entry(8, { children: [digestOf(1)] }));
        expect(oldestSeeds()).toEqual([2, 1, 8]);
      });

      test('a manifest that was forgotten keeps nothing alive', () => {
        index.record(entry(1));
        index.record(entry(2, { children: [digestOf(1)] }));
        index.forget(digestOf(2));
        index.touch(digestOf(2), 50);
        index.record(entry(2));
        expect(index.usage(digestOf(2))?.children).toEqual([]);
        index.touch(digestOf(2), 60);
        expect(index.usage(digestOf(1))?.usedAtMs).toBe(2);
      });

      test('pinned content is left out until its date', () => {
        const day = Date.UTC(2030, 0, 1);
        index.pin(digestOf(1), day);
        index.pin(digestOf(1), day - 5);
        for (const seed of [1, 2]) index.record(entry(seed));
        expect(oldestSeeds({ nowMs: day - 1 })).toEqual([2]);
        expect(oldestSeeds({ nowMs: day })).toEqual([1, 2]);
        index.unpin(digestOf(1));
        expect(oldestSeeds({ nowMs: 0 })).toEqual([1, 2]);
      });
    });

    test('says until when content is pinned, also content that is not here', () => {
      const day = Date.UTC(2030, 0, 1);
      index.pin(digestOf(1), day);
      index.pin(digestOf(1), day - 5);
      expect(index.pinnedUntilMs(digestOf(1))).toBe(day);
      expect(index.pinnedUntilMs(digestOf(2))).toBeUndefined();
      index.unpin(digestOf(1));
      expect(index.pinnedUntilMs(digestOf(1))).toBeUndefined();
    });

    test('a listing is the last one put', () => {
      index.putListing(alpine, 'tags', { body: '["a"]', checkedAtMs: 1 });
      index.putListing(alpine, 'tags', { body: '["b"]', checkedAtMs: 2 });
      expect(index.listing(alpine, 'tags')).toEqual({ body: '["b"]', checkedAtMs: 2 });
      expect(index.listing(alpine, digestOf(1))).toBeUndefined();
    });
  });
}
