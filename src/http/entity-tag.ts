import type { Digest } from '../oci/digest.ts';

/** The strong entity tag of content that is addressed by `digest`. */
export function digestEntityTag(digest: Digest): string {
  return `"${digest}"`;
}

const listMember = /(?:W\/)?("[\u0021\u0023-\u007e\u0080-\u00ff]*")/g;

/**
 * Whether an `If-None-Match` value names `entityTag`: `*` or a list of tags, compared weakly (RFC 9110, section 13.1.2).
 * What is no entity tag is skipped.
 */
export function matchesEntityTag(ifNoneMatch: string, entityTag: string): boolean {
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = entityTag.startsWith('W/') ? entityTag.slice(2) : entityTag;
  for (const [, member] of ifNoneMatch.matchAll(listMember)) {
    if (member === opaque) return true;
  }
  return false;
}

/**
 * Whether an `If-Range` value lets `Range` apply: equal to the strong tag (RFC 9110, section 13.1.5). A date never
 * does, because blobs carry no `Last-Modified`.
 */
export function allowsRange(ifRange: string | undefined, entityTag: string): boolean {
  return ifRange === undefined || ifRange.trim() === entityTag;
}
