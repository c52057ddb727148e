/** Where a listener binds. `host` is a name or an address, IPv6 without brackets; port 0 lets the system choose. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const shape = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+|\*)):(\d{1,5})$/;

/** Reads `host:port` and `[ipv6]:port`; `*` as host means every address. `undefined` for anything else. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, digits] = match;
  const port = Number(digits);
  const host = bracketed ?? plain;
  if (host === undefined || port > 65_535) return undefined;
  return { host: host === '*' ? '::' : host, port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
