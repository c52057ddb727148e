import * as z from 'zod';
import type { Tag } from '../oci/tag.ts';
import type { RepositoryRecords } from './repository-records.ts';
import { storedDigest } from './stored-digest.ts';
import type { RepositoryKey, TagRecord, TagStore } from './tag-store.ts';

const shape = z.object({ digest: storedDigest, mediaType: z.string(), checkedAtMs: z.number() });

/** Tags as small files, in the layout of RepositoryLayout. */
export class DiskTagStore implements TagStore {
  readonly #records: RepositoryRecords;

  constructor(records: RepositoryRecords) {
    this.#records = records;
  }

  async get(key: RepositoryKey, tag: Tag): Promise<TagRecord | undefined> {
    return this.#records.read(this.#records.layout.tagFile(key, tag), shape);
  }

  async put(key: RepositoryKey, tag: Tag, { digest, mediaType, checkedAtMs }: TagRecord): Promise<void> {
    await this.#records.write(this.#records.layout.tagFile(key, tag), { digest, mediaType, checkedAtMs });
  }

  async remove(key: RepositoryKey, tag: Tag): Promise<void> {
    await this.#records.remove(this.#records.layout.tagFile(key, tag));
  }
}
