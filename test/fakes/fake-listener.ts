import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate for localhost and 127.0.0.1, which serves as its own authority. Made by openssl. */
export function selfSigned(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'wherry-cert-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ].concat(['-subj', '/CN=localhost', '-addext', names, '-keyout', key, '-out', cert]),
      { stdio: 'pipe' },
    );
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface ListenerOptions {
  readonly host?: string;
  readonly tls?: Certificate;
  /** Takes CONNECT; without it, node closes the connection. */
  readonly onConnect?: (request: http.IncomingMessage, socket: Duplex) => void;
}

/** An HTTP or HTTPS server that can go away and come back at the same port. */
export class FakeListener {
  readonly #handler: http.RequestListener;
  readonly #options: ListenerOptions;
  readonly #sockets = new Set<Socket>();
  #server: http.Server | undefined;
  #port = 0;

  constructor(handler: http.RequestListener, options: ListenerOptions = {}) {
    this.#handler = handler;
    this.#options = options;
  }

  get port(): number {
    assert(this.#port !== 0, 'not started yet');
    return this.#port;
  }

  get origin(): string {
    const { host = '127.0.0.1', tls } = this.#options;
    return `${tls === undefined ? 'http' : 'https'}://${host}:${this.port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async start(): Promise<void> {
    const { tls } = this.#options;
    const server =
      tls === undefined
        ? http.createServer(this.#handler)
        : https.createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, this.#handler);
    if (this.#options.onConnect !== undefined) server.on('connect', this.#options.onConnect);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Refuses connections from now on and cuts those that are open. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
