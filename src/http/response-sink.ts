import type { Exchange } from './exchange.ts';
import type { ByteSink } from './source-pump.ts';

/** The client went away before its answer was complete. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
  readonly code = 'CLIENT_GONE';
}

/** Writes body bytes to a response, its head in front of the first ones, so that both leave together. */
export class ResponseSink implements ByteSink {
  readonly #exchange: Exchange;
  readonly #writeHead: () => void;
  /** Ends the write under way when the connection closes, whose callback may then never come. */
  #fail: ((error: Error) => void) | undefined;

  constructor(exchange: Exchange, writeHead: () => void) {
    this.#exchange = exchange;
    this.#writeHead = writeHead;
    exchange.response.once('close', () => this.#fail?.(new ClientGoneError('connection closed')));
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { response } = this.#exchange;
    if (response.destroyed) throw new ClientGoneError('connection closed');
    if (!response.headersSent) this.#writeHead();
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      response.write(bytes, (error) => {
        this.#fail = undefined;
        if (error) reject(new ClientGoneError('connection closed', { cause: error }));
        else resolve();
      });
    });
    this.#exchange.bytesSent += bytes.length;
  }
}
