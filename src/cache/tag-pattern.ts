import type { Tag } from '../oci/tag.ts';

/** `*` stands for any characters, `?` for one. The whole tag has to match. */
export function compileTagPatterns(patterns: readonly string[]): (tag: Tag) => boolean {
  if (patterns.includes('*')) return () => true;
  return (tag) => patterns.some((pattern) => matches(pattern, tag));
}

/**
 * Takes at most the product of both lengths, which a regular expression made of the pattern does not: only the last `*`
 * ever needs to give way.
 */
function matches(pattern: string, tag: string): boolean {
  let at = 0;
  let star: { readonly patternAt: number; tagAt: number } | undefined;
  for (let tagAt = 0; tagAt < tag.length;) {
    if (pattern[at] === '*') {
      at += 1;
      star = { patternAt: at, tagAt };
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === tag[tagAt])) {
      at += 1;
      tagAt += 1;
    } else if (star === undefined) {
      return false;
    } else {
      star.tagAt += 1;
      at = star.patternAt;
      tagAt = star.tagAt;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
