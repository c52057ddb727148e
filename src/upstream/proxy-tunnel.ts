import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { EgressProxy } from './egress-route.ts';
import { ProxyError, refusedByProxy } from './proxy-error.ts';

export interface TunnelOptions {
  readonly proxy: EgressProxy;
  /** Where the tunnel leads; only host and port are told to the proxy, which resolves the name. */
  readonly target: URL;
  /** To connect to the proxy and to get its answer. */
  readonly timeoutMs: number;
  readonly userAgent: string;
  readonly clock: Clock;
}

const maxHeaderBytes = 16 * 1024;

/** Opens a tunnel by CONNECT (RFC 9110, 9.3.6): the connection, ready for TLS. Fails with ProxyError. */
export async function openTunnel(options: TunnelOptions): Promise<Socket> {
  const { proxy, target, timeoutMs, userAgent, clock } = options;
  const authority = `${target.hostname}:${target.port === '' ? '443' : target.port}`;
  const opened = Promise.withResolvers<Socket>();
  const { request: send } = proxy.url.protocol === 'https:' ? https : http;
  const request = send({
    method: 'CONNECT',
    host: proxy.url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: proxy.url.port === '' ? undefined : Number(proxy.url.port),
    path: authority,
    headers: {
      host: authority,
      'user-agent': userAgent,
      ...(proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
    },
    agent: false,
    maxHeaderSize: maxHeaderBytes,
  });
  const late = clock.schedule(timeoutMs, () =>
    request.destroy(new ProxyError(proxy, 'did not answer in time')),
  );
  request.once('connect', (response, socket, rest) => {
    // From here on the TLS connection inside reports what fails; without a listener it would end the process.
    socket.on('error', () => undefined);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300 && rest.length === 0) {
      opened.resolve(socket);
      return;
    }
    socket.destroy();
    // A TLS server waits for its client to speak first.
    opened.reject(
      rest.length > 0 && status < 300
        ? new ProxyError(proxy, 'sent bytes that nobody asked for')
        : refusedByProxy(proxy, status),
    );
  });
  request.on('error', (error) => {
    const isOurs = error instanceof ProxyError;
    opened.reject(isOurs ? error : new ProxyError(proxy, `failed: ${failureText(error)}`, { cause: error }));
  });
  request.end();
  try {
    return await opened.promise;
  } finally {
    late.cancel();
  }
}

/** Of several addresses that were tried node reports an error without a text. */
function failureText(error: Error): string {
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
