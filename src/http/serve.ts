import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { AddressLimit } from './address-limit.ts';
import { refuseClient } from './client-error.ts';
import type { ExchangeHandler } from './exchange.ts';
import { ListenError } from './listen-error.ts';
import type { OpenExchanges } from './open-exchanges.ts';
import { secureContextOptions, showedBadCertificate, tlsServerOptions, type TlsFiles } from './tls-files.ts';

export interface ServeOptions {
  /** Names the listener in logs and errors. */
  readonly name: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: TlsFiles | undefined;
  readonly handler: ExchangeHandler;
  readonly exchanges: OpenExchanges;
  readonly limits: ServeLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ServeLimits {
  /** For the head of a request to arrive, and for a TLS handshake. */
  readonly headersTimeoutMs: number;
  /** How long a connection without a request is kept. */
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  /** Further ones are closed when they come. */
  readonly maxConnections: number;
  /** From one IPv4 address or one IPv6 network of 64 bits; further ones are closed when they come. */
  readonly maxConnectionsPerAddress: number;
  /** For a client that takes nothing of what was written to it. */
  readonly clientStallTimeoutMs: number;
}

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /** Gives new connections another certificate; those that are open go on. Throws where the files cannot be used. */
  setTls(files: TlsFiles): void;
  /**
   * Stops accepting, closes idle connections, lets running answers end, and after `drainMs` destroys what is left.
   * Resolves when every connection is gone.
   */
  close(drainMs: number): Promise<void>;
}

/** Opens a listener. Fails with ListenError. */
export async function serveHttp(options: ServeOptions): Promise<HttpServer> {
  // Connections on which nothing was asked yet: node counts them as busy, a drain must not wait for them.
  const fresh = new Set<Socket>();
  let server: Server;
  try {
    server = createServer(options, fresh);
    server.listen(options.port, options.host);
    await once(server, 'listening');
  } catch (error) {
    const address = formatAddress(options.host, options.port);
    throw new ListenError(options.name, address, error as NodeJS.ErrnoException);
  }
  // Accepting may fail for a while, as with EMFILE; the listener stays.
  server.on('error', (error) => options.logger.error('listener failed', { listener: options.name, error }));
  const { port } = server.address() as AddressInfo;
  const scheme = options.tls === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://${formatAddress(options.host, port)}`,
    port,
    setTls: (files) => {
      assert(server instanceof HttpsServer, 'a listener without TLS has no certificate');
      server.setSecureContext(secureContextOptions(files));
    },
    close: async (drainMs) => drain(server, { ...options, drainMs, fresh }),
  };
}

function createServer(options: ServeOptions, fresh: Set<Socket>): Server {
  const { limits, exchanges, handler, logger, name } = options;
  const serverOptions: ServerOptions = {
    headersTimeout: limits.headersTimeoutMs,
    // A body takes as long as it takes: what stalls is caught by `timeout`.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.ceil(limits.headersTimeoutMs / 4),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    noDelay: true,
  };
  const server =
    options.tls === undefined
      ? createHttpServer(serverOptions)
      : createHttpsServer({
          ...serverOptions,
          ...tlsServerOptions(options.tls),
          handshakeTimeout: limits.headersTimeoutMs,
        });
  server.maxConnections = limits.maxConnections;
  server.timeout = limits.clientStallTimeoutMs;
  limitAddresses(server, options);
  if (options.tls?.clients !== undefined) refuseBadCertificates(server, options);

  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    // Its handshake went on while the listener closed: no drain waits for it, and none saw it.
    if (!server.listening) socket.destroy();
    fresh.add(socket);
    socket.once('close', () => fresh.delete(socket));
  });
  const answer: RequestListener = (request, response) => {
    fresh.delete(request.socket);
    handler(exchanges.begin(request, response));
  };
  server.on('request', answer);
  // No `100 Continue` is sent unless somebody is going to read the body.
  server.on('checkContinue', answer);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A reset by the client is no refusal of ours; its exchange, if there is one, is logged as aborted.
    if (error.code !== 'ECONNRESET') logger.debug('request refused', { listener: name, code: error.code });
    refuseClient(error, socket, exchanges.answersOn(socket));
  });
  // Comes as `clientError` too; but nothing that is written before the handshake ever leaves, nor its end.
  server.on('tlsClientError', (_error, socket: TLSSocket) => socket.destroy());
  server.on('drop', () => logger.warn('connection refused: too many are open', { listener: name }));
  return server;
}

function limitAddresses(server: Server, { limits, logger, name }: ServeOptions): void {
  const addresses = new AddressLimit(limits.maxConnectionsPerAddress);
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    // Gone already.
    if (remoteAddress === undefined) return;
    const outcome = addresses.enter(remoteAddress);
    if (outcome === 'admitted') {
      socket.once('close', () => addresses.leave(remoteAddress));
      return;
    }
    socket.destroy();
    const fields = { listener: name, remote: remoteAddress };
    if (outcome === 'refused') logger.warn('connection refused: too many from one address', fields);
  });
}

function refuseBadCertificates(server: Server, { logger, name }: ServeOptions): void {
  server.on('secureConnection', (socket: TLSSocket) => {
    if (!showedBadCertificate(socket)) return;
    logger.debug('client certificate refused', { listener: name, reason: String(socket.authorizationError) });
    socket.destroy();
  });
}

interface DrainOptions extends ServeOptions {
  readonly drainMs: number;
  readonly fresh: ReadonlySet<Socket>;
}

async function drain(server: Server, options: DrainOptions): Promise<void> {
  const { exchanges, clock, logger, name, drainMs, fresh } = options;
  if (!server.listening) return;
  exchanges.drain();
  const closed = once(server, 'close');
  server.close();
  for (const socket of fresh) socket.destroy();
  const deadline = clock.schedule(drainMs, () => {
    logger.warn('answers cut off: the time to drain is over', { listener: name, answers: exchanges.size });
    server.closeAllConnections();
  });
  await closed;
  deadline.cancel();
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
