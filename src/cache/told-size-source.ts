import type { ByteSource } from '../blob/byte-source.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { refusalOf } from './refusal.ts';

/**
 * Bytes that the upstream still brings, of a blob whose length nobody but the upstream has told. Its failures come as
 * OciError; `disproved` is called when what it sends is not the blob, for then its length is no more to be believed.
 */
export class ToldSizeSource implements ByteSource {
  readonly length: number;
  readonly #source: ByteSource;
  readonly #disproved: () => void;

  constructor(source: ByteSource, disproved: () => void) {
    this.length = source.length;
    this.#source = source;
    this.#disproved = disproved;
  }

  async read(into: Uint8Array): Promise<number> {
    try {
      return await this.#source.read(into);
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'malformed') this.#disproved();
      throw refusalOf(error, 'BLOB_UNKNOWN');
    }
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}
