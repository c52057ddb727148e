import type { Logger } from '../base/logger.ts';
import type { Exchange } from './exchange.ts';
import { redactUrl } from './redact-url.ts';
import type { ExchangeOutcome } from './exchange-outcome.ts';

/** Longer ones are cut: header fields may have 16 KiB. */
const maxUserAgentLength = 256;

/** Writes one line for each request when it has ended. */
export class RequestLog {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  ended(exchange: Exchange, outcome: ExchangeOutcome): void {
    const { request } = exchange;
    this.#logger.info('request', {
      ...exchange.log,
      requestId: exchange.id,
      method: request.method,
      url: redactUrl(request.url ?? ''),
      status: outcome.status,
      bytes: exchange.bytesSent,
      durationMs: Math.round(outcome.durationMs * 1000) / 1000,
      remote: outcome.remoteAddress,
      userAgent: request.headers['user-agent']?.slice(0, maxUserAgentLength),
      ...(outcome.aborted ? { aborted: true } : undefined),
    });
  }
}
