import { parseDigest, type Digest } from './digest.ts';
import { parseTag, type Tag } from './tag.ts';

/** What stands after `/manifests/`: exactly one of a tag and a digest. */
export type Reference =
  | { readonly kind: 'tag'; readonly tag: Tag }
  | { readonly kind: 'digest'; readonly digest: Digest };

/** A colon makes it a digest: tags cannot contain one. */
export function parseReference(text: string): Reference | undefined {
  if (text.includes(':')) {
    const digest = parseDigest(text);
    return digest === undefined ? undefined : { kind: 'digest', digest };
  }
  const tag = parseTag(text);
  return tag === undefined ? undefined : { kind: 'tag', tag };
}

export function formatReference(reference: Reference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest;
}
