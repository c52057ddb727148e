import { parseNoProxyRule } from '../src/base/no-proxy.ts';
import type { ConfigIo } from './config-io.ts';
import type { SettingsDraft } from './settings-draft.ts';

/**
 * Lays the variables that all programs share under the draft: what any other source says about proxies wins. As curl
 * has it, lower case goes before upper case, and a scheme without a variable is not proxied.
 */
export function applyProxyEnvironment(draft: SettingsDraft, env: ConfigIo['env']): void {
  // Anything but a group of keys is left for the schema to refuse.
  if (typeof (draft.get(['egress']) ?? {}) !== 'object') return;
  const has = (key: string): boolean => (draft.get(['egress', key]) ?? undefined) !== undefined;
  const https = firstSet(env, ['https_proxy', 'HTTPS_PROXY']);
  const http = firstSet(env, ['http_proxy', 'HTTP_PROXY']);
  if (!has('proxy') && !has('httpProxy') && (https !== undefined || http !== undefined)) {
    draft.set(['egress', 'proxy'], https?.value ?? 'direct', https?.name ?? 'no HTTPS_PROXY');
    draft.set(['egress', 'httpProxy'], http?.value ?? 'direct', http?.name ?? 'no HTTP_PROXY');
  }
  const exceptions = firstSet(env, ['no_proxy', 'NO_PROXY']);
  if (exceptions === undefined || has('noProxy')) return;
  // Other programs read it too and pass over what they do not understand: it must not keep an edge from starting.
  const entries = exceptions.value.split(/[\s,]+/).filter((entry) => parseNoProxyRule(entry) !== undefined);
  draft.set(['egress', 'noProxy'], entries, exceptions.name);
}

function firstSet(
  env: ConfigIo['env'],
  names: readonly string[],
): { readonly name: string; readonly value: string } | undefined {
  return names.map((name) => ({ name, value: env[name] ?? '' })).find(({ value }) => value !== '');
}
