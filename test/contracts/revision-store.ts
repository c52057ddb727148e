import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Digest, parseDigest } from '../../src/oci/digest.ts';
import { parseRepositoryName } from '../../src/oci/repository-name.ts';
import type { RepositoryKey, RevisionEntry, RevisionRecord, RevisionStore } from '../../src/tag/tag-store.ts';

export interface RevisionStoreHarness {
  readonly store: RevisionStore;
  /** Cleans up. */
  close(): Promise<void>;
}

/** What every RevisionStore does. `open` gives an empty one. */
export function revisionStoreContract(name: string, open: () => Promise<RevisionStoreHarness>): void {
  describe(`${name} as RevisionStore`, () => {
    let harness: RevisionStoreHarness;
    let store: RevisionStore;
    beforeEach(async () => {
      harness = await open();
      store = harness.store;
    });
    afterEach(async () => {
      await harness.close();
    });

    test('an unknown revision is absent, and nothing is listed', async () => {
      expect(await store.get(alpine, sha256('a'))).toBeUndefined();
      expect(await listed(store)).toEqual([]);
    });

    test('gives back what was put, of both algorithms', async () => {
      for (const digest of [sha256('a'), sha512('a')]) {
        await store.put(alpine, record(digest));
        expect(await store.get(alpine, digest)).toEqual(record(digest));
      }
    });

    test('a revision of one repository is none of another', async () => {
      await store.put(alpine, record(sha256('a')));
      expect(await store.get(key('docker.io', 'library/alpine/sub'), sha256('a'))).toBeUndefined();
      expect(await store.get(key('ghcr.io', 'library/alpine'), sha256('a'))).toBeUndefined();
    });

    test('put replaces', async () => {
      await store.put(alpine, record(sha256('a')));
      await store.put(alpine, { ...record(sha256('a')), mediaType: 'other' });
      expect(await store.get(alpine, sha256('a'))).toMatchObject({ mediaType: 'other' });
      expect(await listed(store)).toHaveLength(1);
    });

    test('remove, also of what is not there', async () => {
      await store.put(alpine, record(sha256('a')));
      await store.remove(alpine, sha256('a'));
      await store.remove(alpine, sha256('a'));
      expect(await store.get(alpine, sha256('a'))).toBeUndefined();
      expect(await listed(store)).toEqual([]);
    });

    test('repositories and digests name what list gives', async () => {
      const keys = [
        alpine,
        key('docker.io', 'library/alpine/tags'),
        key('registry:5000', 'a'),
        key('.temp', 'a'),
      ];
      for (const key of keys) {
        for (const digest of [sha256('a'), sha512('b')]) await store.put(key, record(digest));
      }
      await store.remove(alpine, sha256('a'));
      const found: string[] = [];
      for await (const { upstream, repository } of store.repositories())
        found.push(`${upstream} ${repository}`);
      expect(found.sort()).toEqual(
        keys.map(({ upstream, repository }) => `${upstream} ${repository}`).sort(),
      );
      const digests: string[] = [];
      for await (const digest of store.digests(alpine)) digests.push(digest);
      expect(digests).toEqual([sha512('b')]);
    });

    test('list gives every record with its key', async () => {
      const keys = [
        alpine,
        key('docker.io', 'library/alpine/tags'),
        key('registry:5000', 'a'),
        key('%.é', 'a'),
        key('.temp', 'a'),
      ];
      const entries = keys.flatMap((key) =>
        [sha256('a'), sha256('b'), sha512('c')].map((digest) => ({ key, record: record(digest) })),
      );
      for (const { key, record } of entries) await store.put(key, record);
      expect(await listed(store)).toEqual(entries.map((entry) => JSON.stringify(entry)).sort());
    });
  });
}

const alpine = key('docker.io', 'library/alpine');

async function listed(store: RevisionStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, record } of store.list()) found.push(JSON.stringify(sorted({ key, record })));
  return found.sort();
}

function sorted({ key, record }: RevisionEntry): RevisionEntry {
  const { upstream, repository } = key;
  const { digest, mediaType, size } = record;
  return { key: { upstream, repository }, record: { digest, mediaType, size } };
}

function key(upstream: string, repository: string): RepositoryKey {
  return { upstream, repository: parseRepositoryName(repository)! };
}

function record(digest: Digest): RevisionRecord {
  return { digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', size: 1234 };
}

function sha256(hexDigit: string): Digest {
  return parseDigest(`sha256:${hexDigit.repeat(64)}`)!;
}

function sha512(hexDigit: string): Digest {
  return parseDigest(`sha512:${hexDigit.repeat(128)}`)!;
}
