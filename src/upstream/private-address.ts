import { BlockList, isIPv4, isIPv6 } from 'node:net';

const privateRanges = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  privateRanges.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  privateRanges.addSubnet(network, prefix, 'ipv6');
}

/** Where an IPv6 address carries an IPv4 one: the first groups it starts with, and the index of the two that hold it. */
const embeddings: readonly { readonly groups: readonly number[]; readonly at: number }[] = [
  { groups: [0, 0, 0, 0, 0, 0xffff], at: 6 },
  { groups: [0, 0, 0, 0, 0xffff, 0], at: 6 },
  { groups: [0, 0, 0, 0, 0, 0], at: 6 },
  { groups: [0x64, 0xff9b, 0, 0, 0, 0], at: 6 },
  { groups: [0x2002], at: 1 },
];

/**
 * Whether an IP address is one that a stranger must not make this node talk to: loopback, private, link-local (cloud
 * metadata services among them), carrier NAT, multicast, reserved (RFC 6890), also where an IPv6 address wraps such an
 * IPv4 one: mapped, compatible, 6to4, NAT64 (RFC 6052).
 */
export function isPrivateAddress(address: string): boolean {
  if (isIPv4(address)) return privateRanges.check(address, 'ipv4');
  const plain = address.split('%', 1)[0] ?? address;
  if (!isIPv6(plain)) return false;
  return privateRanges.check(plain, 'ipv6') || embeddedAddresses(plain).some(isPrivateAddress);
}

/** The literal address in a URL's host; `undefined` for a name. The URL parser has read `0x7f.1` and the like already. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIPv4(host) || isIPv6(host) ? host : undefined;
}

/** A literal private address, or a name that means this machine. */
export function namesPrivateHost(url: URL): boolean {
  const address = literalAddress(url);
  if (address !== undefined) return isPrivateAddress(address);
  return /(?:^|\.)localhost\.?$/i.test(url.hostname);
}

function embeddedAddresses(address: string): string[] {
  const groups = ipv6Groups(address);
  return embeddings
    .filter((embedding) => embedding.groups.every((group, index) => groups[index] === group))
    .map(({ at }) => {
      const [high, low] = [groups[at] ?? 0, groups[at + 1] ?? 0];
      return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
    });
}

/** The URL parser writes any IPv6 address in its canonical form, without dotted parts. */
function ipv6Groups(address: string): number[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail = ''] = canonical.split('::', 2);
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [parse(head), parse(tail)];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}
