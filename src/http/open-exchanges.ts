import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { Exchange } from './exchange.ts';
import { abandonedStatus } from './exchange-outcome.ts';
import type { RequestLog } from './request-log.ts';
import type { RequestMetrics } from './request-metrics.ts';

export interface OpenExchangesOptions {
  readonly log: RequestLog;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  readonly nextRequestId: () => string;
}

/** The requests of one listener that have begun and not ended. Each is counted and logged when it ends, once. */
export class OpenExchanges {
  readonly #options: OpenExchangesOptions;
  readonly #open = new Set<Exchange>();
  #draining = false;

  constructor(options: OpenExchangesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  begin(request: IncomingMessage, response: ServerResponse): Exchange {
    const { clock, metrics, nextRequestId } = this.#options;
    const exchange = new Exchange(request, response, nextRequestId(), clock.monotonicMs());
    // Read now: a socket that was destroyed does not know its peer any more.
    const { remoteAddress } = request.socket;
    if (this.#draining) response.shouldKeepAlive = false;
    this.#open.add(exchange);
    metrics.began();
    response.once('close', () => this.#ended(exchange, remoteAddress));
    return exchange;
  }

  /** From now on answers whose heads have not left say `Connection: close`. */
  drain(): void {
    this.#draining = true;
    for (const { response } of this.#open) {
      if (!response.headersSent) response.shouldKeepAlive = false;
    }
  }

  /** Whether part of an answer may have left through `socket`, so that nothing else may be written to it. */
  answersOn(socket: Duplex): boolean {
    for (const { request, response } of this.#open) {
      if (request.socket === socket && response.headersSent) return true;
    }
    return false;
  }

  #ended(exchange: Exchange, remoteAddress: string | undefined): void {
    const { clock, log, metrics } = this.#options;
    const { response } = exchange;
    this.#open.delete(exchange);
    const outcome = {
      status: response.headersSent ? response.statusCode : abandonedStatus,
      aborted: !response.writableFinished,
      durationMs: clock.monotonicMs() - exchange.startedMs,
      remoteAddress,
    };
    metrics.ended(exchange, outcome);
    log.ended(exchange, outcome);
  }
}
