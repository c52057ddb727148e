declare const repositoryNameBrand: unique symbol;

/** A repository name as distribution-spec defines `<name>`: safe as a relative path, never absolute, no dot segments. */
export type RepositoryName = string & { readonly [repositoryNameBrand]: true };

/** distribution-spec: many clients limit host and name together to 255 characters. */
export const maxRepositoryNameLength = 255;

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const grammar = new RegExp(`^${component}(?:/${component})*$`);

/** The length is checked before the grammar, so that no input makes the match slow. */
export function parseRepositoryName(text: string): RepositoryName | undefined {
  if (text.length === 0 || text.length > maxRepositoryNameLength) return undefined;
  return grammar.test(text) ? (text as RepositoryName) : undefined;
}
