import { Buffer } from 'node:buffer';
import { digestAlgorithm, digestHex, type Digest } from '../oci/digest.ts';

const sha256Mark = 1;
const sha512Mark = 2;

/**
 * A digest as the database keeps it: one byte for the algorithm, then the raw hash. Half the size of the text, which
 * the page cache feels, and in the same order as the text.
 */
export function encodeDigest(digest: Digest): Uint8Array {
  const hex = digestHex(digest);
  const key = Buffer.allocUnsafe(1 + hex.length / 2);
  key[0] = digestAlgorithm(digest) === 'sha256' ? sha256Mark : sha512Mark;
  key.write(hex, 1, 'hex');
  return key;
}

export function decodeDigest(key: Uint8Array): Digest {
  const algorithm = key[0] === sha256Mark ? 'sha256' : 'sha512';
  return `${algorithm}:${Buffer.from(key.buffer, key.byteOffset + 1, key.byteLength - 1).toString('hex')}` as Digest;
}
