import { type FileSystem, syncFolder } from '../base/file-system.ts';
import { systemErrorCode } from '../base/storage-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { DiskLayout } from './disk-layout.ts';

/** Gives a file that is complete, verified and synced its place among the blobs. Fails with the system's errors. */
export class DiskPublisher {
  readonly #files: FileSystem;
  readonly #layout: DiskLayout;
  /** Fan-out folders whose own entry is not known to be on disk yet. */
  readonly #creating = new Map<string, Promise<void>>();
  readonly #publishing = new Map<Digest, Promise<void>>();

  constructor(files: FileSystem, layout: DiskLayout) {
    this.#files = files;
    this.#layout = layout;
  }

  /**
   * Renames `path` to the blob's place, replacing what is there. Durable when it resolves. When it rejects the blob
   * may be visible nevertheless, whole but not durable.
   */
  async publish(path: string, digest: Digest): Promise<void> {
    await this.settled(digest);
    const run = this.#publish(path, digest).finally(() => this.#publishing.delete(digest));
    this.#publishing.set(digest, run);
    await run;
  }

  /** Resolves when no publishing of the digest is under way: a blob that is visible then is durable too. */
  async settled(digest: Digest): Promise<void> {
    // Whoever publishes hears of its failure; here only its end counts.
    for (let run = this.#publishing.get(digest); run !== undefined; run = this.#publishing.get(digest)) {
      await run.catch(() => undefined);
    }
  }

  async #publish(path: string, digest: Digest): Promise<void> {
    const folder = this.#layout.blobFolder(digest);
    await this.#creating.get(folder);
    try {
      await this.#files.rename(path, this.#layout.blob(digest));
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      await this.#ensureFolder(folder, digest);
      await this.#files.rename(path, this.#layout.blob(digest));
    }
    await syncFolder(this.#files, folder);
  }

  async #ensureFolder(folder: string, digest: Digest): Promise<void> {
    let run = this.#creating.get(folder);
    if (run === undefined) {
      run = this.#createFolder(folder, digest).finally(() => this.#creating.delete(folder));
      this.#creating.set(folder, run);
    }
    await run;
  }

  async #createFolder(folder: string, digest: Digest): Promise<void> {
    try {
      await this.#files.mkdir(folder, { mode: 0o700 });
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    await syncFolder(this.#files, this.#layout.algorithmFolder(digest));
  }
}
