import { BlockList, isIP, isIPv4 } from 'node:net';

/** One exception from the use of a proxy. */
export interface NoProxyRule {
  /** `host` is lower-case, an IPv6 address without brackets, without a dot at the end. */
  matches(target: { readonly host: string; readonly port: number }): boolean;
}

const hostName = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/;

/**
 * Reads one entry of `NO_PROXY`: `*`, a domain (with or without a dot in front it means the name and all below it), an
 * address, a network as `10.0.0.0/8`, each but the network with `:port` if it is meant for one port only. Names are
 * compared as they are written and never resolved. `undefined` for anything else. The rules are those of curl, which has
 * no ports; those are as Go's programs read them.
 */
export function parseNoProxyRule(entry: string): NoProxyRule | undefined {
  const text = entry.trim().toLowerCase();
  if (text === '*') return { matches: () => true };
  const network = parseNetwork(text);
  if (network !== undefined) return { matches: ({ host }) => contains(network, host) };
  const { host, port } = splitPort(text);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const matchesHost = hostRule(host);
  if (matchesHost === undefined) return undefined;
  return { matches: (target) => (port === undefined || port === target.port) && matchesHost(target.host) };
}

/** Whether the exceptions hold for an `http:` or `https:` URL. */
export function isExempt(rules: readonly NoProxyRule[], url: URL): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return rules.some((rule) => rule.matches({ host, port }));
}

function hostRule(host: string): ((host: string) => boolean) | undefined {
  if (isIP(host) !== 0) {
    const one = new BlockList();
    one.addAddress(host, isIPv4(host) ? 'ipv4' : 'ipv6');
    return (target) => contains(one, target);
  }
  const domain = host.replace(/^\*?\./, '').replace(/\.$/, '');
  if (!hostName.test(domain) || domain.includes('..')) return undefined;
  return (target) => target === domain || target.endsWith(`.${domain}`);
}

function splitPort(text: string): { readonly host: string; readonly port?: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  // An IPv6 address may also stand without brackets, and then has no port.
  if (match === null) return { host: text };
  const [, bracketed, plain, port] = match;
  const host = bracketed ?? plain ?? '';
  return port === undefined ? { host } : { host, port: Number(port) };
}

function parseNetwork(text: string): BlockList | undefined {
  const match = /^([0-9a-f:.]+)\/(\d{1,3})$/.exec(text);
  const [, address = '', digits = ''] = match ?? [];
  const family = isIP(address);
  const prefix = Number(digits);
  if (family === 0 || prefix > (family === 4 ? 32 : 128)) return undefined;
  const network = new BlockList();
  network.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return network;
}

function contains(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
