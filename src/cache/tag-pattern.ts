import type { Tag } from '../oci/tag.ts';

/** `*` stands for any characters, `?` for one. The whole tag has to match; tags have at most 128 characters. */
export function compileTagPatterns(patterns: readonly string[]): (tag: Tag) => boolean {
  if (patterns.includes('*')) return () => true;
  const expressions = patterns.map((pattern) => {
    const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
    return new RegExp(`^${escaped.replaceAll(/\*+/g, '.*').replaceAll('?', '.')}$`);
  });
  return (tag) => expressions.some((expression) => expression.test(tag));
}
