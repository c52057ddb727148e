import { createPrivateKey, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import type { ConfigIo } from './config-io.ts';
import type { UpstreamConfig } from './edge-schema.ts';
import type { HostPort } from './host-port.ts';
import type { ListenerConfig, ListenerTlsConfig } from './listener-schema.ts';
import { checkPemFile } from './pem-file.ts';
import type { KeyPath, Report } from './problems.ts';
import { suggest } from './suggest.ts';

interface ListenerContext {
  readonly io: ConfigIo;
  readonly report: Report;
}

/** The further listeners, with absolute paths. */
export function resolveListeners(
  written: readonly ListenerConfig[],
  { io, report, upstreams }: ListenerContext & { readonly upstreams: readonly UpstreamConfig[] },
): ListenerConfig[] {
  return written.map(({ tls, ...listener }, index) => {
    const path = ['listeners', index];
    checkDefaultUpstream(listener.defaultUpstream, upstreams, (message) =>
      report([...path, 'defaultUpstream'], message),
    );
    const resolved = resolveListenerTls(tls, { io, report, path: [...path, 'tls'] });
    return { ...listener, ...(resolved === undefined ? {} : { tls: resolved }) };
  });
}

/** Reports what a listener could not be opened with. */
export function resolveListenerTls(
  tls: ListenerTlsConfig | undefined,
  { io, report, path }: ListenerContext & { readonly path: KeyPath },
): ListenerTlsConfig | undefined {
  if (tls === undefined) return undefined;
  const { clientCa, clientCert } = tls;
  const files = { cert: resolve(io.workingDirectory, tls.cert), key: resolve(io.workingDirectory, tls.key) };
  checkPemFile(files.cert, { io, report, path: [...path, 'cert'] });
  checkPemFile(files.key, { io, report, path: [...path, 'key'] });
  if (keyIsOfAnother(files, io))
    report([...path, 'key'], `does not belong to the certificate in ${files.cert}`);
  if (clientCa === undefined) {
    if (clientCert !== undefined) report([...path, 'clientCert'], 'has no effect without clientCa');
    return files;
  }
  const authorities = resolve(io.workingDirectory, clientCa);
  checkPemFile(authorities, { io, report, path: [...path, 'clientCa'] });
  return { ...files, clientCa: authorities, clientCert: clientCert ?? 'require' };
}

interface ListenAddresses {
  readonly listen?: HostPort;
  readonly adminListen?: HostPort;
  readonly listeners?: readonly ListenerConfig[];
}

/** Reports listeners that would get in each other's way. */
export function checkListenAddresses(
  { listen, adminListen, listeners = [] }: ListenAddresses,
  report: Report,
): void {
  const all: readonly { readonly path: KeyPath; readonly address: HostPort | undefined }[] = [
    { path: ['listen'], address: listen },
    { path: ['adminListen'], address: adminListen },
    ...listeners.map((listener, index) => ({
      path: ['listeners', index, 'listen'],
      address: listener.listen,
    })),
  ];
  for (const [index, { path, address }] of all.entries()) {
    const other = all.slice(0, index).find((earlier) => collide(earlier.address, address));
    if (other !== undefined) report(path, `is the address of ${nameOf(other.path)}: give it another port`);
  }
}

function collide(one: HostPort | undefined, other: HostPort | undefined): boolean {
  if (one === undefined || other === undefined || one.port === 0 || one.port !== other.port) return false;
  return (
    one.host === other.host || [one.host, other.host].some((host) => host === '::' || host === '0.0.0.0')
  );
}

function nameOf(path: KeyPath): string {
  return path.length === 1 ? String(path[0]) : `listeners[${path[1]}]`;
}

function checkDefaultUpstream(
  name: string | undefined,
  upstreams: readonly UpstreamConfig[],
  report: (message: string) => void,
): void {
  const known = upstreams.flatMap((upstream) => [upstream.name, ...upstream.hosts]);
  if (name === undefined || known.includes(name)) return;
  const near = suggest(name, known);
  report(
    near === undefined ? 'is none of the upstreams' : `is none of the upstreams; did you mean "${near}"?`,
  );
}

/** False also where one of them cannot be read: that is reported by itself, or shows when the listener is opened. */
function keyIsOfAnother(files: { readonly cert: string; readonly key: string }, io: ConfigIo): boolean {
  try {
    const key = createPrivateKey(io.readText(files.key));
    return !new X509Certificate(io.readText(files.cert)).checkPrivateKey(key);
  } catch {
    return false;
  }
}
