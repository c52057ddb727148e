/** One resource and what a token is to allow on it: `repository:team/app:pull,push`. */
export interface Scope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Registries ask for one or two; a push with mounts for some more. */
const maxScopes = 100;
const maxScopeLength = 1_024;

const typeGrammar = /^([a-z0-9]+)(?:\([a-z0-9]+\))?$/;
const nameGrammar = /^[^\s"\\\p{Cc}]+$/u;
/** The published grammar has no `*` and no `_`, and every registry uses them. */
const actionGrammar = /^[a-zA-Z_*-]+$/;

/**
 * Reads one scope of distribution's token specification. Split at the first and the last colon, for a name may carry a
 * port. The class of `repository(plugin)` is deprecated, without meaning, and dropped. No action at all is possible.
 */
export function parseScope(text: string): Scope | undefined {
  if (text.length > maxScopeLength) return undefined;
  const first = text.indexOf(':');
  const last = text.lastIndexOf(':');
  if (first === last) return undefined;
  const type = typeGrammar.exec(text.slice(0, first))?.[1];
  const name = text.slice(first + 1, last);
  const list = text.slice(last + 1);
  const actions = list === '' ? [] : list.split(',');
  if (type === undefined || !nameGrammar.test(name)) return undefined;
  return actions.every((action) => actionGrammar.test(action)) ? { type, name, actions } : undefined;
}

/**
 * Reads scopes that spaces separate. Malformed ones are left out: a token that allows less than was asked for is no
 * error in this protocol. `undefined` when there are more than 100.
 */
export function parseScopes(text: string): readonly Scope[] | undefined {
  const parts = text.split(' ', maxScopes + 1).filter((part) => part !== '');
  if (parts.length > maxScopes) return undefined;
  return parts.map((part) => parseScope(part)).filter((scope) => scope !== undefined);
}

export function formatScope(scope: Scope): string {
  return `${scope.type}:${scope.name}:${scope.actions.join(',')}`;
}

export function formatScopes(scopes: readonly Scope[]): string {
  return scopes.map((scope) => formatScope(scope)).join(' ');
}
