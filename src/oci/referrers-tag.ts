import { digestAlgorithm, digestHex, type Digest } from './digest.ts';
import type { Tag } from './tag.ts';

/**
 * The tag under which clients keep the referrers of `digest` where a registry has no API for them (distribution-spec,
 * "Referrers Tag Schema"): algorithm and encoded part, truncated to 32 and 64 characters, which shortens sha512.
 */
export function referrersTag(digest: Digest): Tag {
  return `${digestAlgorithm(digest).slice(0, 32)}-${digestHex(digest).slice(0, 64)}` as Tag;
}
