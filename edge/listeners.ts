import type { Hono } from 'hono';
import type { Clock } from '../src/base/clock.ts';
import type { Logger } from '../src/base/logger.ts';
import type { Metrics } from '../src/base/metrics.ts';
import { AnswerWriter } from '../src/http/answer-writer.ts';
import { dispatch } from '../src/http/dispatch.ts';
import { healthRoutes, type HealthCheck, type MetricsText } from '../src/http/health.ts';
import { OpenExchanges } from '../src/http/open-exchanges.ts';
import { pagesListener } from '../src/http/pages-listener.ts';
import { registryListener } from '../src/http/registry-listener.ts';
import type { RegistryService } from '../src/http/registry-service.ts';
import { RequestLog } from '../src/http/request-log.ts';
import { RequestMetrics } from '../src/http/request-metrics.ts';
import { serveHttp, type HttpServer, type ServeLimits, type TlsFiles } from '../src/http/serve.ts';
import { TransferBuffers } from '../src/http/transfer-buffers.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface EdgeListenersOptions {
  readonly mirror: ListenAddress & { readonly tls: TlsFiles | undefined };
  readonly admin: ListenAddress;
  readonly registry: RegistryService;
  /** Pages that the admin listener shows besides health and metrics. */
  readonly adminPages: Hono;
  readonly checks: readonly HealthCheck[];
  readonly metricsText: MetricsText;
  readonly limits: ServeLimits;
  /** Memory of large transfer buffers, all answers together. */
  readonly maxLargeBufferBytes: number;
  readonly accessLog: Logger;
  /** Tells this process's requests from another's. */
  readonly requestIdPrefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const checkTimeoutMs = 2_000;

/** The edge's doors: the mirror listener for clients and the admin listener for its people. */
export class EdgeListeners {
  readonly #options: EdgeListenersOptions;
  #mirror: HttpServer | undefined;
  #admin: HttpServer | undefined;
  #draining = false;
  #requests = 0;

  constructor(options: EdgeListenersOptions) {
    this.#options = options;
  }

  get mirrorUrl(): string {
    return this.#mirror?.url ?? '';
  }

  get adminUrl(): string {
    return this.#admin?.url ?? '';
  }

  /** Fails with ListenError; nothing stays open then. */
  async open(): Promise<void> {
    const { mirror, admin, adminPages, registry, metricsText } = this.#options;
    this.#mirror = await this.#serve('mirror', mirror, {
      registry,
      pages: this.#health(undefined),
    });
    try {
      const pages = this.#health(metricsText).route('/', adminPages);
      this.#admin = await this.#serve('admin', { ...admin, tls: undefined }, { registry: undefined, pages });
    } catch (error) {
      await this.#mirror.close(0);
      throw error;
    }
  }

  /** Readiness falls, running answers end within `drainMs`. */
  async close(drainMs: number): Promise<void> {
    this.#draining = true;
    await Promise.all([this.#mirror?.close(drainMs), this.#admin?.close(drainMs)]);
  }

  #health(metrics: MetricsText | undefined): Hono {
    const { checks, clock } = this.#options;
    return healthRoutes({ checks, checkTimeoutMs, clock, draining: () => this.#draining, metrics });
  }

  async #serve(
    name: string,
    address: EdgeListenersOptions['mirror'],
    content: { registry: RegistryService | undefined; pages: Hono },
  ): Promise<HttpServer> {
    const { accessLog, clock, limits, logger, maxLargeBufferBytes, metrics, requestIdPrefix } = this.#options;
    const pages = pagesListener(content.pages, logger);
    const writer = new AnswerWriter({ logger, clock, buffers: new TransferBuffers(maxLargeBufferBytes) });
    return serveHttp({
      name,
      host: address.host,
      port: address.port,
      tls: address.tls,
      handler:
        content.registry === undefined
          ? pages
          : dispatch({ registry: registryListener({ service: content.registry, writer }), pages }),
      exchanges: new OpenExchanges({
        log: new RequestLog(accessLog),
        metrics: new RequestMetrics(metrics, name),
        clock,
        nextRequestId: () => `${requestIdPrefix}-${(this.#requests += 1).toString(36)}`,
      }),
      limits,
      clock,
      logger,
    });
  }
}
