import { formatKeyPath, type KeyPath, type Report } from './problems.ts';
import { impliedHosts } from './well-known-upstreams.ts';

interface NamedUpstream {
  readonly path: KeyPath;
  readonly name: string;
  readonly hosts: readonly string[];
}

/** Reports every name that would mean two upstreams. Takes them as written, so that another mistake hides none of this. */
export function checkUpstreamNames(written: readonly unknown[], report: Report): void {
  const owners = new Map<string, NamedUpstream>();
  for (const upstream of written.flatMap((value, index) => namedUpstream(value, index))) {
    for (const [path, host] of claims(upstream)) {
      const owner = owners.get(host) ?? upstream;
      owners.set(host, owner);
      if (owner === upstream) continue;
      report(path, `"${host}" already means ${formatKeyPath(owner.path)} (${owner.name})`);
      // Of two upstreams with one name, what else they share would say nothing new.
      if (host === upstream.name) break;
    }
  }
}

function claims({ path, name, hosts }: NamedUpstream): readonly (readonly [KeyPath, string])[] {
  return [
    [[...path, 'name'], name],
    ...hosts.map((host, index) => [[...path, 'hosts', index], host] as const),
    ...impliedHosts(name).map((host) => [[...path, 'name'], host] as const),
  ];
}

function namedUpstream(value: unknown, index: number): readonly NamedUpstream[] {
  const { name, hosts }: { name?: unknown; hosts?: unknown } =
    typeof value === 'object' && value !== null ? value : {};
  if (typeof name !== 'string') return [];
  const texts = Array.isArray(hosts) ? hosts.filter((host) => typeof host === 'string') : [];
  return [{ path: ['upstreams', index], name, hosts: texts }];
}
