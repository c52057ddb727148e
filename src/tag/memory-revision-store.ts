import type { Digest } from '../oci/digest.ts';
import type { RevisionEntry, RepositoryKey, RevisionRecord, RevisionStore } from './tag-store.ts';

/** The reference adapter; forgets everything with the process. */
export class MemoryRevisionStore implements RevisionStore {
  readonly #entries = new Map<string, RevisionEntry>();

  async get(key: RepositoryKey, digest: Digest): Promise<RevisionRecord | undefined> {
    return this.#entries.get(nameOf(key, digest))?.record;
  }

  async put(key: RepositoryKey, record: RevisionRecord): Promise<void> {
    this.#entries.set(nameOf(key, record.digest), { key: { ...key }, record: { ...record } });
  }

  async remove(key: RepositoryKey, digest: Digest): Promise<void> {
    this.#entries.delete(nameOf(key, digest));
  }

  async *list(): AsyncGenerator<RevisionEntry> {
    yield* this.#entries.values();
  }

  async *repositories(): AsyncGenerator<RepositoryKey> {
    const keys = [...this.#entries.values()].map(
      ({ key }) => [`${key.upstream} ${key.repository}`, key] as const,
    );
    yield* new Map(keys).values();
  }

  async *digests({ upstream, repository }: RepositoryKey): AsyncGenerator<Digest> {
    for (const { key, record } of this.#entries.values()) {
      if (key.upstream === upstream && key.repository === repository) yield record.digest;
    }
  }
}

/** No part but the first can contain a space. */
function nameOf({ upstream, repository }: RepositoryKey, digest: Digest): string {
  return `${upstream} ${repository} ${digest}`;
}
