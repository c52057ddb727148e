import type { KeyPath, Report } from './problems.ts';
import { impliedHosts } from './well-known-upstreams.ts';

export interface NamedUpstream {
  readonly path: KeyPath;
  readonly name: string;
  readonly hosts: readonly string[];
}

/** Reports every name that would mean two upstreams. */
export function checkUpstreamNames(upstreams: readonly NamedUpstream[], report: Report): void {
  const owners = new Map<string, NamedUpstream>();
  for (const upstream of upstreams) {
    const { path, name, hosts } = upstream;
    const claims: readonly (readonly [KeyPath, string])[] = [
      [[...path, 'name'], name],
      ...hosts.map((host, index) => [[...path, 'hosts', index], host] as const),
      ...impliedHosts(name).map((host) => [[...path, 'name'], host] as const),
    ];
    for (const [claimPath, host] of claims) {
      const owner = owners.get(host);
      if (owner === undefined) owners.set(host, upstream);
      else if (owner !== upstream) report(claimPath, `"${host}" already means the upstream ${owner.name}`);
      if (owner !== undefined && owner !== upstream && claimPath.at(-1) === 'name') break;
    }
  }
}
