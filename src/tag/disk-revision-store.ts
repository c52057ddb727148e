import { parseDigest, type Digest } from '../oci/digest.ts';
import { parseRevisionPath, parseRevisionsFolder } from './repository-layout.ts';
import type { RepositoryRecords } from './repository-records.ts';
import { parseStoredRecord } from './stored-record.ts';
import type { RepositoryKey, RevisionEntry, RevisionRecord, RevisionStore } from './tag-store.ts';

/** Revisions as small files, in the layout of RepositoryLayout. */
export class DiskRevisionStore implements RevisionStore {
  readonly #records: RepositoryRecords;

  constructor(records: RepositoryRecords) {
    this.#records = records;
  }

  async get(key: RepositoryKey, digest: Digest): Promise<RevisionRecord | undefined> {
    const record = await this.#records.read(this.#records.layout.revisionFile(key, digest), parseRevision);
    return record?.digest === digest ? record : undefined;
  }

  async put(key: RepositoryKey, { digest, mediaType, size }: RevisionRecord): Promise<void> {
    await this.#records.write(this.#records.layout.revisionFile(key, digest), { digest, mediaType, size });
  }

  async remove(key: RepositoryKey, digest: Digest): Promise<void> {
    await this.#records.remove(this.#records.layout.revisionFile(key, digest));
  }

  async *list(): AsyncGenerator<RevisionEntry> {
    for await (const path of this.#records.walk()) {
      const parsed = parseRevisionPath(path);
      if (parsed === undefined) continue; // a tag, or a stranger's file
      const record = await this.get(parsed.key, parsed.digest);
      if (record !== undefined) yield { key: parsed.key, record };
    }
  }

  async *repositories(): AsyncGenerator<RepositoryKey> {
    for await (const path of this.#records.specialFolders()) {
      const key = parseRevisionsFolder(path);
      if (key !== undefined) yield key;
    }
  }

  async *digests(key: RepositoryKey): AsyncGenerator<Digest> {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      for await (const hex of this.#records.filesIn(this.#records.layout.revisionFolder(key, algorithm))) {
        const digest = parseDigest(`${algorithm}:${hex}`);
        if (digest !== undefined) yield digest;
      }
    }
  }
}

function parseRevision(value: unknown): RevisionRecord | undefined {
  const record = parseStoredRecord(value, 'size');
  return record && { digest: record.digest, mediaType: record.mediaType, size: record.number };
}
