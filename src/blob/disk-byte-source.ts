import assert from 'node:assert/strict';
import type { DiskFile } from '../base/file-system.ts';
import { StorageError, storageErrorFrom } from '../base/storage-error.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * A run of an open file, which it owns and closes. Reads go straight to the file: no stream, no read ahead, no copy.
 *
 * The system writes into the reader's memory until a read settles. So a `read` that is pending at `close` settles
 * (rejects) only when the system is done with `into`, and the file is closed after that: until then the reader must
 * not use `into` for anything else, and afterwards it may.
 */
export class DiskByteSource implements ByteSource {
  readonly length: number;
  readonly #file: DiskFile;
  readonly #end: number;
  #position: number;
  #reading: Promise<{ readonly bytesRead: number }> | undefined;
  #closing: Promise<void> | undefined;

  constructor(file: DiskFile, start: number, end: number) {
    this.length = end - start;
    this.#file = file;
    this.#position = start;
    this.#end = end;
  }

  async read(into: Uint8Array): Promise<number> {
    assert(this.#reading === undefined, 'one read at a time');
    this.#assertOpen();
    const wanted = Math.min(into.length, this.#end - this.#position);
    if (this.#position === this.#end) return 0;
    assert(wanted > 0, 'a read needs room for at least one byte');
    let bytesRead: number;
    try {
      this.#reading = this.#file.read(into, 0, wanted, this.#position);
      ({ bytesRead } = await this.#reading);
    } catch (error) {
      throw storageErrorFrom(error, 'read a blob');
    } finally {
      this.#reading = undefined;
    }
    this.#assertOpen();
    if (bytesRead === 0) throw new StorageError(`blob file ends early, at byte ${this.#position}`);
    this.#position += bytesRead;
    return bytesRead;
  }

  async close(): Promise<void> {
    this.#closing ??= this.#closeFile();
    await this.#closing;
  }

  async #closeFile(): Promise<void> {
    // Its failure is the reader's to hear, from `read`.
    await this.#reading?.catch(() => undefined);
    try {
      await this.#file.close();
    } catch (error) {
      throw storageErrorFrom(error, 'close a blob');
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StorageError('the blob was closed');
  }
}
