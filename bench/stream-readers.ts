import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';

export interface StreamReadersOptions {
  readonly url: string;
  /** Take all that comes. */
  readonly fast: number;
  /** Take a little at a time. */
  readonly slow: number;
  /** How often a slow one takes something. */
  readonly pauseMs: number;
}

/** Connections that read one large body each, and begin again when it is over. */
export class StreamReaders {
  readonly #options: StreamReadersOptions;
  readonly #sockets = new Set<Socket>();
  #failure: Error | undefined;
  #closed = false;

  constructor(options: StreamReadersOptions) {
    this.#options = options;
    for (let index = 0; index < options.fast; index += 1) this.#open(false);
    for (let index = 0; index < options.slow; index += 1) this.#open(true);
  }

  get streaming(): number {
    return [...this.#sockets].filter(({ bytesRead }) => bytesRead > 0).length;
  }

  /** Fails when a stream broke. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #open(isSlow: boolean): void {
    const { hostname, port, pathname } = new URL(this.#options.url);
    const socket = connect({ host: hostname, port: Number(port) });
    this.#sockets.add(socket);
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`);
    socket.once('data', (head) => {
      if (!head.toString('latin1').startsWith('HTTP/1.1 200')) this.#fail(new Error(head.toString('latin1')));
    });
    socket.on('data', () => {
      if (!isSlow) return;
      socket.pause();
      setTimeout(() => socket.resume(), this.#options.pauseMs);
    });
    socket.once('error', (error) => this.#fail(error));
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (!this.#closed) this.#open(isSlow);
    });
  }

  #fail(error: Error): void {
    assert(error instanceof Error);
    if (!this.#closed) this.#failure ??= error;
  }
}
