import type { Dispatcher } from 'undici';
import { BodyQueue } from './body-queue.ts';
import type { HttpAnswer, HttpRequest } from './http-transport.ts';
import { redactUrl } from './redact.ts';
import { transportFailure } from './transport-failure.ts';

/** As much as a socket delivers at once; more would only be memory. */
const maxBufferedBytes = 256 * 1024;

export interface ExchangeEvents {
  onHead(): void;
  onBytes(bytes: number): void;
  /** Once, after the last byte or the failure: the connection is free or gone. */
  onClose(): void;
}

/** Drives one undici dispatch: turns its callbacks into an answer with a pulled body. */
export class UndiciExchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #events: ExchangeEvents;
  readonly #answer = Promise.withResolvers<HttpAnswer>();
  readonly #onAbort: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #body: BodyQueue | undefined;
  #closed = false;

  constructor(request: HttpRequest, events: ExchangeEvents) {
    this.#request = request;
    this.#events = events;
    this.#onAbort = () => this.#fail(request.signal.reason);
    request.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  get answer(): Promise<HttpAnswer> {
    return this.#answer.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#closed) controller.abort(new Error('given up before it was sent'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#events.onHead();
    const body = new BodyQueue(
      {
        pause: () => controller.pause(),
        resume: () => controller.resume(),
        destroy: (reason) => controller.abort(reason),
      },
      { maxBufferedBytes, onClose: () => this.#close() },
    );
    this.#body = body;
    this.#answer.resolve(new UndiciAnswer({ status, url: this.#request.url, headers, body }));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#events.onBytes(chunk.length);
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#body?.end();
    this.#close();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: unknown): void {
    this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    const { method, url, signal } = this.#request;
    const failure = transportFailure(error, `${method} ${redactUrl(url)}`, signal);
    this.#body?.fail(failure);
    this.#answer.reject(failure);
    this.#close();
    this.#controller?.abort(failure);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    this.#events.onClose();
  }
}

class UndiciAnswer implements HttpAnswer {
  readonly status: number;
  readonly url: URL;
  readonly #headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly #body: BodyQueue;

  constructor(parts: {
    status: number;
    url: URL;
    headers: Readonly<Record<string, string | string[] | undefined>>;
    body: BodyQueue;
  }) {
    this.status = parts.status;
    this.url = parts.url;
    this.#headers = parts.headers;
    this.#body = parts.body;
  }

  get body(): AsyncIterable<Uint8Array> {
    return this.#body;
  }

  header(name: string): string | undefined {
    return this.headerLines(name)[0];
  }

  headerLines(name: string): readonly string[] {
    const value = this.#headers[name];
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : value;
  }

  discard(): void {
    this.#body.discard();
  }
}
