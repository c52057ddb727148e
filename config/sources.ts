import { edgeSchema } from './edge-schema.ts';
import type { ConfigIo } from './config-io.ts';
import { scalarFields } from './schema-walk.ts';
import type { SettingsDraft } from './settings-draft.ts';
import { parseUpstreamArgument } from './upstream-argument.ts';

/** Flags of `wherry edge`, as text; absent where not given. */
export interface EdgeFlags {
  readonly listen?: string;
  readonly tokenListen?: string;
  readonly adminListen?: string;
  readonly data?: string;
  /** `NAME=URL` or `NAME`, each. */
  readonly upstream?: readonly string[];
  readonly maxBytes?: string;
  readonly site?: string;
  readonly peer?: readonly string[];
  readonly hub?: string;
  readonly joinTokenFile?: string;
}

/** Variables that set what is no single value in the file. */
export const upstreamsVariable = 'WHERRY_UPSTREAMS';
export const configVariable = 'WHERRY_CONFIG';

/** Lays the environment over the draft. An empty variable counts as not set: compose files produce such. */
export function applyEnvironment(draft: SettingsDraft, env: ConfigIo['env']): void {
  for (const { path, env: name } of scalarFields(edgeSchema)) {
    const value = env[name];
    if (value !== undefined && value !== '') draft.set(path, value, name);
  }
  const upstreams = env[upstreamsVariable];
  if (upstreams === undefined || upstreams === '') return;
  const names = upstreams.split(',').map((part) => part.trim());
  setUpstreams(
    draft,
    names.filter((part) => part !== ''),
    upstreamsVariable,
  );
}

/** Lays the flags over the draft. */
export function applyFlags(draft: SettingsDraft, flags: EdgeFlags): void {
  const scalars = [
    [['listen'], flags.listen, '--listen'],
    [['tokenListen'], flags.tokenListen, '--token-listen'],
    [['adminListen'], flags.adminListen, '--admin-listen'],
    [['data'], flags.data, '--data'],
    [['cache', 'maxBytes'], flags.maxBytes, '--max-bytes'],
    [['site'], flags.site, '--site'],
    [['hub'], flags.hub, '--hub'],
    [['joinTokenFile'], flags.joinTokenFile, '--join-token-file'],
  ] as const;
  for (const [path, value, origin] of scalars) {
    if (value !== undefined) draft.set(path, value, origin);
  }
  if (flags.peer !== undefined) draft.set(['peers'], [...flags.peer], '--peer');
  if (flags.upstream !== undefined) setUpstreams(draft, flags.upstream, '--upstream');
}

/** A list of upstreams replaces the one of a weaker source as a whole: mixing would send credentials to other addresses. */
function setUpstreams(draft: SettingsDraft, written: readonly string[], origin: string): void {
  draft.set(
    ['upstreams'],
    written.map((text) => parseUpstreamArgument(text)),
    origin,
  );
}
