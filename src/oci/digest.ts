declare const digestBrand: unique symbol;

/** A content digest in canonical form, `sha256:<64 hex>` or `sha512:<128 hex>` (image-spec, descriptor.md). */
export type Digest = string & { readonly [digestBrand]: true };

export type DigestAlgorithm = 'sha256' | 'sha512';

const encodedLength: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

const lowerHex = /^[0-9a-f]+$/;

/** Returns `undefined` for anything but a digest of an algorithm that can be verified here. */
export function parseDigest(text: string): Digest | undefined {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, colon);
  if (algorithm !== 'sha256' && algorithm !== 'sha512') return undefined;
  const encoded = text.slice(colon + 1);
  if (encoded.length !== encodedLength[algorithm] || !lowerHex.test(encoded)) return undefined;
  return text as Digest;
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

/** The encoded part, lower-case hex: safe as a file name. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
