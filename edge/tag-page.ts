import { OciError } from '../src/oci/error.ts';

export interface TagPage {
  readonly tags: readonly string[];
  /** Where the next page begins; `undefined` on the last one. */
  readonly next: { readonly n: number; readonly last: string } | undefined;
}

/** What one page holds at most, whatever was asked for: a larger `n` is clamped, not refused. */
const maxPage = 10_000;

export interface TagPageRequest {
  readonly n: number;
  readonly last: string | null;
}

/** Fails with OciError PAGINATION_NUMBER_INVALID, before anybody is asked for the tags. */
export function parseTagPageRequest(query: URLSearchParams): TagPageRequest {
  return { n: parseCount(query.get('n')), last: query.get('last') };
}

/**
 * One page of tags in ASCII order (distribution-spec, "Listing Tags"): `last` need not exist and works without `n`;
 * `n=0` is an empty list that names no next page.
 */
export function tagPage(tags: readonly string[], { n, last }: TagPageRequest): TagPage {
  const rest = last === null ? tags : tags.filter((tag) => tag > last);
  const page = rest.slice(0, n);
  const end = page.at(-1);
  const next = end !== undefined && page.length < rest.length ? { n, last: end } : undefined;
  return { tags: page, next };
}

function parseCount(text: string | null): number {
  if (text === null) return Infinity;
  if (!/^\d+$/.test(text))
    throw new OciError('PAGINATION_NUMBER_INVALID', { detail: { n: text.slice(0, 32) } });
  return Math.min(Number(text), maxPage);
}
