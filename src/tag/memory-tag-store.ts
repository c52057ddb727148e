import { parseTag, type Tag } from '../oci/tag.ts';
import type { RepositoryKey, TagRecord, TagStore } from './tag-store.ts';

/** The reference adapter; forgets everything with the process. */
export class MemoryTagStore implements TagStore {
  readonly #records = new Map<string, TagRecord>();

  async get(key: RepositoryKey, tag: Tag): Promise<TagRecord | undefined> {
    return this.#records.get(nameOf(key, tag));
  }

  async put(key: RepositoryKey, tag: Tag, record: TagRecord): Promise<void> {
    this.#records.set(nameOf(key, tag), { ...record });
  }

  async remove(key: RepositoryKey, tag: Tag): Promise<void> {
    this.#records.delete(nameOf(key, tag));
  }

  async *names(key: RepositoryKey): AsyncGenerator<Tag> {
    const prefix = nameOf(key, '');
    for (const name of this.#records.keys()) {
      const tag = name.startsWith(prefix) ? parseTag(name.slice(prefix.length)) : undefined;
      if (tag !== undefined) yield tag;
    }
  }
}

/** No part but the first can contain a space. */
function nameOf({ upstream, repository }: RepositoryKey, tag: Tag | ''): string {
  return `${upstream} ${repository} ${tag}`;
}
