import { createHash, type Hash } from 'node:crypto';
import { digestAlgorithm, digestHex, type Digest } from '../oci/digest.ts';

/** Hashes a blob front to back and knows how far it has come. */
export class SequentialHash {
  readonly digest: Digest;
  #position: number;
  readonly #hash: Hash;

  constructor(digest: Digest, resumed?: { readonly hash: Hash; readonly position: number }) {
    this.digest = digest;
    this.#hash = resumed?.hash ?? createHash(digestAlgorithm(digest));
    this.#position = resumed?.position ?? 0;
  }

  get position(): number {
    return this.#position;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#position += bytes.length;
  }

  /** An independent hash that goes on from here. */
  fork(): SequentialHash {
    return new SequentialHash(this.digest, { hash: this.#hash.copy(), position: this.#position });
  }

  /** Whether all that was hashed so far is the blob. */
  matches(): boolean {
    return this.#hash.copy().digest('hex') === digestHex(this.digest);
  }
}
