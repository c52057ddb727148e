declare const tagBrand: unique symbol;

/** A tag as distribution-spec defines it: at most 128 characters, case-sensitive, no slash, no colon. */
export type Tag = string & { readonly [tagBrand]: true };

const grammar = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export function parseTag(text: string): Tag | undefined {
  return text.length <= 128 && grammar.test(text) ? (text as Tag) : undefined;
}
