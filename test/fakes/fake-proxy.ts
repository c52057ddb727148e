import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FakeListener, type ListenerOptions } from './fake-listener.ts';

export interface ProxiedRequest {
  /** `CONNECT` or the method of a request in absolute form. */
  readonly method: string;
  /** `host:port` or a whole URL. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface FakeProxyOptions extends ListenerOptions {
  /** `user:password` that callers must show. */
  readonly signIn?: string;
  /** Answers of this status in place of what was asked for. */
  readonly refusal?: number;
  /** Says `200` to CONNECT only when this settles. */
  readonly connectAfter?: Promise<unknown>;
}

/** A forward proxy that takes every name for this machine, as if its own DNS said so, and notes what it is shown. */
export class FakeProxy {
  readonly requests: ProxiedRequest[] = [];
  /** All bytes that clients sent into tunnels. */
  readonly tunnelled: Buffer[] = [];
  readonly #options: FakeProxyOptions;
  readonly #listener: FakeListener;

  constructor(options: FakeProxyOptions = {}) {
    this.#options = options;
    this.#listener = new FakeListener((request, response) => this.#forward(request, response), {
      ...options,
      onConnect: (request, socket) => void this.#tunnel(request, socket),
    });
  }

  get url(): URL {
    return new URL(this.#listener.origin);
  }

  async start(): Promise<void> {
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    await this.#listener.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #tunnel(request: IncomingMessage, socket: Duplex): Promise<void> {
    const status = this.#note(request);
    socket.on('error', () => undefined); // a client that goes away
    await this.#options.connectAfter;
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { port } = new URL(`http://${request.url}`);
    const onward: Socket = net.connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.on('data', (chunk: Buffer) => this.tunnelled.push(chunk));
      socket.pipe(onward);
      onward.pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    onward.on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const status = this.#note(request);
    if (status !== 200) {
      response.writeHead(status).end();
      return;
    }
    const { port, pathname, search } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const { method } = request;
    const onward = http.request(
      { host: '127.0.0.1', port, path: pathname + search, method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }

  #note({ method = '', url: target = '', headers }: IncomingMessage): number {
    this.requests.push({ method, target, headers });
    const { signIn, refusal } = this.#options;
    if (refusal !== undefined) return refusal;
    const wanted = signIn === undefined ? undefined : `Basic ${Buffer.from(signIn).toString('base64')}`;
    return headers['proxy-authorization'] === wanted ? 200 : 407;
  }
}
