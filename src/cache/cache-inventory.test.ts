import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../base/manual-clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { Tag } from '../oci/tag.ts';
import { MemoryRevisionStore } from '../tag/memory-revision-store.ts';
import { MemoryTagStore } from '../tag/memory-tag-store.ts';
import {
  CacheInventory,
  formatInventoryName,
  parseInventoryName,
  type InventoryName,
} from './cache-inventory.ts';
import { MemoryCacheIndex } from './memory-cache-index.ts';

const digest = (hex: string): Digest => `sha256:${hex.repeat(64)}` as Digest;

const names = fc.uniqueArray(
  fc.record({
    upstream: fc.constantFrom('docker.io', 'registry:5000'),
    repository: fc.constantFrom('a', 'a/b', 'ab', 'b'),
    reference: fc.constantFrom('v1', 'v2', 'V2', digest('a'), digest('b')),
  }),
  {
    maxLength: 30,
    selector: ({ reference, repository, upstream }) => `${upstream} ${repository} ${reference}`,
  },
);

async function inventoryOf(entries: readonly { upstream: string; repository: string; reference: string }[]) {
  const [tags, revisions] = [new MemoryTagStore(), new MemoryRevisionStore()];
  for (const { reference, repository, upstream } of entries) {
    const key = { upstream, repository: repository as RepositoryName };
    const isDigest = reference.includes(':');
    const target = isDigest ? (reference as Digest) : digest('f');
    await revisions.put(key, { digest: target, mediaType: 'm', size: 1 });
    if (!isDigest) await tags.put(key, reference as Tag, { digest: target, mediaType: 'm', checkedAtMs: 0 });
  }
  const images = { read: async () => undefined };
  return new CacheInventory({
    tags,
    revisions,
    index: new MemoryCacheIndex(),
    images,
    clock: new ManualClock(),
  });
}

test('pages of any size give every name once, in one order', async () => {
  await fc.assert(
    fc.asyncProperty(names, fc.integer({ min: 1, max: 7 }), async (entries, limit) => {
      const inventory = await inventoryOf(entries);
      const seen: string[] = [];
      let after: InventoryName | undefined;
      for (;;) {
        const page = await inventory.list({ limit, after });
        seen.push(...page.entries.map(formatInventoryName));
        if (page.next === undefined) break;
        expect(page.entries.length).toBe(limit);
        after = parseInventoryName(formatInventoryName(page.next));
      }
      const whole = await inventory.list({ limit: 1_000 });
      expect(seen).toEqual(whole.entries.map(formatInventoryName));
      const expected = entries.map(
        ({ reference, repository, upstream }) =>
          `${upstream}/${repository}${reference.includes(':') ? '@' : ':'}${reference}`,
      );
      expect([...seen].sort()).toEqual(expected.sort());
    }),
    { numRuns: 50 },
  );
});

test('a tag whose manifest was evicted is listed without contents', async () => {
  const inventory = await inventoryOf([{ upstream: 'docker.io', repository: 'z', reference: 'v1' }]);
  const page = await inventory.list({ limit: 1, repository: 'z' });
  expect(page).toMatchObject({ next: undefined, entries: [{ mediaType: 'm', contents: undefined }] });
});

test.each(['', 'docker.io', 'docker.io/a', 'docker.io/a@v1', 'docker.io/a:', 'docker.io/A:v1', '/a:v1'])(
  '%j is no name of an entry',
  (text) => {
    expect(parseInventoryName(text)).toBeUndefined();
  },
);
