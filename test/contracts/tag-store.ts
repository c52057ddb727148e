import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseDigest } from '../../src/oci/digest.ts';
import { parseRepositoryName } from '../../src/oci/repository-name.ts';
import { parseTag } from '../../src/oci/tag.ts';
import type { RepositoryKey, TagRecord, TagStore } from '../../src/tag/tag-store.ts';

export interface TagStoreHarness {
  readonly store: TagStore;
  /** Cleans up. */
  close(): Promise<void>;
}

/** What every TagStore does. `open` gives an empty one. */
export function tagStoreContract(name: string, open: () => Promise<TagStoreHarness>): void {
  describe(`${name} as TagStore`, () => {
    let harness: TagStoreHarness;
    let store: TagStore;
    beforeEach(async () => {
      harness = await open();
      store = harness.store;
    });
    afterEach(async () => {
      await harness.close();
    });

    test('an unknown tag is absent', async () => {
      expect(await store.get(key('docker.io', 'library/alpine'), tag('latest'))).toBeUndefined();
    });

    test('gives back what was put, and the later of two', async () => {
      const alpine = key('docker.io', 'library/alpine');
      await store.put(alpine, tag('latest'), record('a', 1));
      expect(await store.get(alpine, tag('latest'))).toEqual(record('a', 1));
      await store.put(alpine, tag('latest'), record('b', 2));
      expect(await store.get(alpine, tag('latest'))).toEqual(record('b', 2));
    });

    test('remove, also of what is not there', async () => {
      const alpine = key('docker.io', 'library/alpine');
      await store.put(alpine, tag('latest'), record('a', 1));
      await store.remove(alpine, tag('latest'));
      await store.remove(alpine, tag('latest'));
      expect(await store.get(alpine, tag('latest'))).toBeUndefined();
    });

    test('names gives the tags of one repository and of no other', async () => {
      const alpine = key('docker.io', 'library/alpine');
      expect(await listed(store, alpine)).toEqual([]);
      for (const name of ['latest', '3.20', '_tags']) await store.put(alpine, tag(name), record('a', 1));
      await store.put(key('docker.io', 'library/alpine/sub'), tag('sub'), record('a', 1));
      await store.put(key('ghcr.io', 'library/alpine'), tag('other'), record('a', 1));
      await store.remove(alpine, tag('3.20'));
      expect(await listed(store, alpine)).toEqual(['_tags', 'latest']);
    });

    test('names that are alike are kept apart', async () => {
      const names: [RepositoryKey, string][] = [
        [key('docker.io', 'a'), 'v1'],
        [key('docker.io', 'a'), 'V1'],
        [key('docker.io', 'a/v1'), 'v1'],
        [key('docker.io', 'a/tags'), 'v1'],
        [key('docker.io', 'a'), '_tags'],
        [key('docker.io', 'a'), '_revisions'],
        [key('registry:5000', 'a'), 'v1'],
        [key('registry', 'a'), 'v1'],
        [key('registry%3A5000', 'a'), 'v1'],
        [key('.temp', 'a'), 'v1'],
        [key('..', 'a'), 'v1'],
        [key('.', 'a'), 'v1'],
      ];
      for (const [index, [key, name]] of names.entries()) await store.put(key, tag(name), record('a', index));
      for (const [index, [key, name]] of names.entries()) {
        expect(await store.get(key, tag(name)), `${key.upstream} ${key.repository} ${name}`).toEqual(
          record('a', index),
        );
      }
    });

    test('a reader beside many writers sees whole records', async () => {
      const alpine = key('docker.io', 'library/alpine');
      await store.put(alpine, tag('latest'), record('a', 0));
      const writes = Array.from({ length: 50 }, (_, index) =>
        store.put(alpine, tag('latest'), record(index % 2 === 0 ? 'a' : 'b', index)),
      );
      const reads = Array.from({ length: 50 }, () => store.get(alpine, tag('latest')));
      for (const found of await Promise.all(reads)) {
        expect(found).toEqual(record(found!.checkedAtMs % 2 === 0 ? 'a' : 'b', found!.checkedAtMs));
      }
      await Promise.all(writes);
    });
  });
}

async function listed(store: TagStore, key: RepositoryKey): Promise<string[]> {
  const names: string[] = [];
  for await (const name of store.names(key)) names.push(name);
  return names.sort();
}

function key(upstream: string, repository: string): RepositoryKey {
  return { upstream, repository: parseRepositoryName(repository)! };
}

function tag(text: string): ReturnType<typeof parseTag> & string {
  return parseTag(text)!;
}

function record(hexDigit: string, checkedAtMs: number): TagRecord {
  return {
    digest: parseDigest(`sha256:${hexDigit.repeat(64)}`)!,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    checkedAtMs,
  };
}
