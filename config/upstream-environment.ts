import type { ConfigIo } from './config-io.ts';
import type { Problem } from './problems.ts';
import type { SettingsDraft } from './settings-draft.ts';
import { suggest } from './suggest.ts';

const prefix = 'WHERRY_UPSTREAM_';

/** What follows the upstream's name in a variable, and the key that it sets. */
export const upstreamVariableSuffixes = {
  _USERNAME: ['credentials', 0, 'username'],
  _PASSWORD: ['credentials', 0, 'password'],
  _PASSWORD_FILE: ['credentials', 0, 'passwordFile'],
  _ACCESS: ['access'],
} as const;

const suffixes = Object.entries(upstreamVariableSuffixes);

/** `docker.io` gives `WHERRY_UPSTREAM_DOCKER_IO`. */
function upstreamVariablePrefix(name: string): string {
  return prefix + name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}

/** Lays `WHERRY_UPSTREAM_<NAME>_...` over the upstreams that the draft has by now. */
export function applyUpstreamEnvironment(draft: SettingsDraft, env: ConfigIo['env']): readonly Problem[] {
  const known = new Map<string, number>();
  const problems: Problem[] = [];
  for (const [index, name] of upstreamNames(draft).entries()) {
    for (const [suffix, keys] of suffixes) {
      const variable = upstreamVariablePrefix(name) + suffix;
      const value = env[variable];
      const other = known.get(variable);
      known.set(variable, index);
      if (value === undefined || value === '') continue;
      if (other === undefined) setKey(draft, ['upstreams', index, ...keys], value, variable);
      else
        problems.push({
          origin: variable,
          path: undefined,
          message: `means upstreams[${other}] and upstreams[${index}] alike: set it in the file`,
        });
    }
  }
  for (const variable of Object.keys(env)) {
    const ours = variable.startsWith(prefix) && suffixes.some(([suffix]) => variable.endsWith(suffix));
    if (!ours || known.has(variable) || env[variable] === '') continue;
    const near = suggest(variable, known.keys());
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    problems.push({ origin: variable, path: undefined, message: `no upstream has this name${hint}` });
  }
  return problems;
}

/** A password from the environment takes the place of every form of it in the file. */
function setKey(
  draft: SettingsDraft,
  path: readonly (string | number)[],
  value: string,
  variable: string,
): void {
  const last = path.at(-1);
  if (last === 'password' || last === 'passwordFile') {
    for (const form of ['password', 'passwordFile', 'passwordEnv']) {
      const other = [...path.slice(0, -1), form];
      // Two forms that both come from the environment stay, to be reported.
      if (draft.originOf(other)?.startsWith(prefix) !== true) draft.remove(other);
    }
  }
  draft.set(path, value, variable);
}

function upstreamNames(draft: SettingsDraft): readonly string[] {
  const upstreams = draft.get(['upstreams']);
  if (!Array.isArray(upstreams)) return [];
  return upstreams.map((_, index) => {
    const name = draft.get(['upstreams', index, 'name']);
    return typeof name === 'string' ? name : '';
  });
}
