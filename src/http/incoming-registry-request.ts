import type { IncomingHttpHeaders } from 'node:http';
import type { Route } from '../oci/route.ts';
import type { Exchange } from './exchange.ts';
import type { RegistryRequest } from './registry-service.ts';

/** Why `signal` aborts. */
export class RequestAbortedError extends Error {
  override readonly name = 'RequestAbortedError';
  readonly code = 'REQUEST_ABORTED';
}

/** A request as the service sees it; what most requests never ask for is made when they do. */
export class IncomingRegistryRequest implements RegistryRequest {
  readonly method: string;
  readonly route: Route;
  readonly headers: IncomingHttpHeaders;
  readonly host: string | undefined;
  readonly #exchange: Exchange;
  readonly #queryText: string;
  #query: URLSearchParams | undefined;
  #abort: AbortController | undefined;

  constructor(exchange: Exchange, target: { readonly route: Route; readonly query: string }) {
    const { method = '', headers } = exchange.request;
    this.method = method;
    this.route = target.route;
    this.headers = headers;
    this.host = headers.host?.toLowerCase();
    this.#exchange = exchange;
    this.#queryText = target.query;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#queryText);
    return this.#query;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      const { response } = this.#exchange;
      const leave = (): void => {
        if (!response.writableFinished) abort.abort(new RequestAbortedError('client went away'));
      };
      if (response.destroyed) leave();
      else response.once('close', leave);
      this.#abort = abort;
    }
    return this.#abort.signal;
  }
}
