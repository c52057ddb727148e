import { parseTag, type Tag } from '../oci/tag.ts';
import type { RepositoryRecords } from './repository-records.ts';
import { parseStoredRecord } from './stored-record.ts';
import type { RepositoryKey, TagRecord, TagStore } from './tag-store.ts';

/** Tags as small files, in the layout of RepositoryLayout. */
export class DiskTagStore implements TagStore {
  readonly #records: RepositoryRecords;

  constructor(records: RepositoryRecords) {
    this.#records = records;
  }

  async get(key: RepositoryKey, tag: Tag): Promise<TagRecord | undefined> {
    return this.#records.read(this.#records.layout.tagFile(key, tag), parseTagRecord);
  }

  async put(key: RepositoryKey, tag: Tag, { digest, mediaType, checkedAtMs }: TagRecord): Promise<void> {
    await this.#records.write(this.#records.layout.tagFile(key, tag), { digest, mediaType, checkedAtMs });
  }

  async remove(key: RepositoryKey, tag: Tag): Promise<void> {
    await this.#records.remove(this.#records.layout.tagFile(key, tag));
  }

  async *names(key: RepositoryKey): AsyncGenerator<Tag> {
    for await (const name of this.#records.filesIn(this.#records.layout.tagFolder(key))) {
      const tag = parseTag(name);
      if (tag !== undefined) yield tag;
    }
  }
}

function parseTagRecord(value: unknown): TagRecord | undefined {
  const record = parseStoredRecord(value, 'checkedAtMs');
  return record && { digest: record.digest, mediaType: record.mediaType, checkedAtMs: record.number };
}
