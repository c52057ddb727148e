import { OciError } from '../src/oci/error.ts';

export interface TagPage {
  readonly tags: readonly string[];
  /** Where the next page begins; `undefined` on the last one. */
  readonly next: { readonly n: number; readonly last: string } | undefined;
}

/** What one page holds at most, whatever was asked for: a larger `n` is clamped, not refused. */
const maxPage = 10_000;

/**
 * One page of tags in ASCII order (distribution-spec, "Listing Tags"): `last` need not exist and works without `n`;
 * `n=0` is an empty list that names no next page. Fails with OciError PAGINATION_NUMBER_INVALID.
 */
export function tagPage(tags: readonly string[], query: URLSearchParams): TagPage {
  const n = parseCount(query.get('n'));
  const last = query.get('last');
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
