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
import { serveHttp, type HttpServer, type ServeLimits, type ServeOptions } from '../src/http/serve.ts';
import type { TlsSource } from '../src/http/tls-files.ts';
import { TlsReload } from '../src/http/tls-reload.ts';
import { TransferBuffers } from '../src/http/transfer-buffers.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface MirrorListener extends ListenAddress {
  readonly tls: TlsSource | undefined;
  readonly registry: RegistryService;
}

export interface EdgeListenersOptions {
  readonly mirrors: readonly [MirrorListener, ...MirrorListener[]];
  readonly admin: ListenAddress;
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
const tlsReloadIntervalMs = 10_000;

/** The edge's doors: mirror listeners for clients and the admin listener for its people. */
export class EdgeListeners {
  readonly #options: EdgeListenersOptions;
  readonly #buffers: TransferBuffers;
  #mirrors: readonly HttpServer[] = [];
  #admin: HttpServer | undefined;
  readonly #reloads: TlsReload[] = [];
  #draining = false;
  #requests = 0;

  constructor(options: EdgeListenersOptions) {
    this.#options = options;
    this.#buffers = new TransferBuffers(options.maxLargeBufferBytes);
  }

  /** In the order of the options. */
  get mirrorUrls(): readonly string[] {
    return this.#mirrors.map(({ url }) => url);
  }

  get adminUrl(): string {
    return this.#admin?.url ?? '';
  }

  /** Fails with ListenError, or with what a certificate's file could not be read for; nothing stays open then. */
  async open(): Promise<void> {
    const { mirrors, admin, adminPages, metricsText } = this.#options;
    try {
      for (const [index, mirror] of mirrors.entries()) {
        const name = index === 0 ? 'mirror' : `mirror-${index + 1}`;
        const content = { registry: mirror.registry, pages: this.#health(undefined) };
        this.#mirrors = [...this.#mirrors, await this.#serve(name, mirror, content)];
      }
      const pages = this.#health(metricsText).route('/', adminPages);
      this.#admin = await this.#serve('admin', { ...admin, tls: undefined }, { registry: undefined, pages });
    } catch (error) {
      await this.close(0);
      throw error;
    }
  }

  /** Readiness falls, running answers end within `drainMs`. */
  async close(drainMs: number): Promise<void> {
    this.#draining = true;
    await Promise.all([
      ...this.#reloads.map(async (reload) => reload.stop()),
      ...this.#mirrors.map(async (mirror) => mirror.close(drainMs)),
      this.#admin?.close(drainMs),
    ]);
  }

  #health(metrics: MetricsText | undefined): Hono {
    const { checks, clock } = this.#options;
    return healthRoutes({ checks, checkTimeoutMs, clock, draining: () => this.#draining, metrics });
  }

  async #serve(name: string, door: Door, content: Content): Promise<HttpServer> {
    // Asked before the files are read: what changes in between is found by the first look.
    const stamp = await door.tls?.stamp();
    const server = await serveHttp({
      ...this.#shared(name, content),
      name,
      host: door.host,
      port: door.port,
      tls: await door.tls?.read(),
    });
    if (door.tls !== undefined && stamp !== undefined) this.#keepFresh(name, server, door.tls).start(stamp);
    return server;
  }

  #shared(name: string, content: Content): Pick<ServeOptions, 'handler' | 'exchanges' | SharedOption> {
    const { accessLog, clock, limits, logger, metrics, requestIdPrefix } = this.#options;
    const pages = pagesListener(content.pages, logger);
    const writer = new AnswerWriter({ logger, clock, buffers: this.#buffers });
    return {
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
    };
  }

  #keepFresh(listener: string, server: HttpServer, source: TlsSource): TlsReload {
    const { clock, logger } = this.#options;
    const reload = new TlsReload({
      listener,
      source,
      apply: (files) => server.setTls(files),
      intervalMs: tlsReloadIntervalMs,
      clock,
      logger,
    });
    this.#reloads.push(reload);
    return reload;
  }
}

type Door = ListenAddress & { readonly tls: TlsSource | undefined };
type SharedOption = 'limits' | 'clock' | 'logger';

interface Content {
  readonly registry: RegistryService | undefined;
  readonly pages: Hono;
}
