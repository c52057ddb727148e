import tls from 'node:tls';
import { Agent, buildConnector, Pool, type Dispatcher } from 'undici';
import type { Clock } from '../base/clock.ts';
import { Limiter, OverloadedError } from '../base/limiter.ts';
import { guardedLookup } from './guarded-lookup.ts';
import type { HttpAnswer, HttpRequest, HttpTransport } from './http-transport.ts';
import { isPrivateAddress, namesPrivateHost } from './private-address.ts';
import { redactUrl } from './redact.ts';
import { isSameOrigin } from './redirect-policy.ts';
import { transportFailure } from './transport-failure.ts';
import { UndiciExchange } from './undici-exchange.ts';
import { UpstreamError } from './upstream-error.ts';
import type { UpstreamMetrics } from './upstream-metrics.ts';

export interface TransportOptions {
  readonly name: string;
  readonly url: URL;
  readonly tls: UpstreamTls;
  readonly timeouts: { readonly connectMs: number; readonly headersMs: number; readonly idleMs: number };
  /** Connections to the upstream and to where it redirects, all together; at least 2. A quarter is kept free of blob bodies. */
  readonly maxConnections: number;
  /** How many exchanges may wait for a connection, in each lane. */
  readonly maxQueued: number;
  readonly allowPrivateTargets: boolean;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly metrics: UpstreamMetrics;
}

export interface UpstreamTls {
  /** PEM; trusted instead of the system's own for the upstream, besides them for redirect targets and realms. */
  readonly ca?: string;
  /** PEM; shown to the upstream's own host and port only. */
  readonly cert?: string;
  readonly key?: string;
  /** Accept any certificate of the upstream's own host and port. */
  readonly insecure: boolean;
}

/** An upstream that redirects to ever new hosts must not make this node keep a pool for each. */
const maxOrigins = 64;

/** HTTP/1.1 over undici: one pool of connections per origin, bounded together. */
export class UndiciTransport implements HttpTransport {
  readonly #options: TransportOptions;
  readonly #agent: Agent;
  readonly #lanes: Readonly<Record<HttpRequest['lane'], Limiter>>;
  #connectedToPrivate = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    const { name, maxQueued, maxConnections, timeouts } = options;
    const reserved = Math.max(1, Math.floor(maxConnections / 4));
    this.#lanes = {
      control: new Limiter({ name: `requests to ${name}`, concurrency: reserved, maxQueued }),
      bulk: new Limiter({
        name: `blobs from ${name}`,
        concurrency: Math.max(1, maxConnections - reserved),
        maxQueued,
      }),
    };
    this.#agent = new Agent({
      maxOrigins,
      factory: (origin) =>
        new Pool(origin, {
          allowH2: false,
          headersTimeout: timeouts.headersMs,
          bodyTimeout: timeouts.idleMs,
          connect: this.#connector(new URL(origin)),
        }),
    });
  }

  get upstreamIsPrivate(): boolean {
    return this.#connectedToPrivate || namesPrivateHost(this.#options.url);
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    const name = `${request.method} ${redactUrl(request.url)}`;
    const slot = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<HttpAnswer>();
    const turn = this.#lanes[request.lane].run(async () => {
      this.#dispatch(request, slot.resolve).then(answer.resolve, answer.reject);
      await slot.promise;
    }, request.signal);
    // Only waiting for the turn can fail; the exchange itself reports through `answer`.
    turn.catch((error: unknown) => answer.reject(queueFailure(error, name, request.signal)));
    return answer.promise;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #dispatch(request: HttpRequest, onClose: () => void): Promise<HttpAnswer> {
    const startedMs = this.#options.clock.monotonicMs();
    const exchange = new UndiciExchange(request, {
      onHead: () => this.#options.metrics.observeHeader(this.#options.clock.monotonicMs() - startedMs),
      onBytes: (bytes) => this.#options.metrics.addBytes(bytes),
      onClose,
    });
    const headers = {
      'user-agent': this.#options.userAgent,
      'accept-encoding': 'identity',
      ...request.headers,
    };
    const { method, url } = request;
    const body = request.body ?? null;
    const dispatch: Dispatcher.DispatchOptions = {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers,
      body,
    };
    try {
      this.#agent.dispatch(dispatch, exchange);
    } catch (error) {
      exchange.onResponseError(undefined, error);
    }
    return exchange.answer;
  }

  #connector(origin: URL): buildConnector.connector {
    const { tls: upstreamTls, timeouts, url, allowPrivateTargets } = this.#options;
    const isUpstream = isSameOrigin(origin, url);
    const connect = buildConnector({
      allowH2: false,
      timeout: timeouts.connectMs,
      ...(isUpstream ? ownTls(upstreamTls) : foreignTls(upstreamTls)),
      ...(isUpstream ? {} : { lookup: guardedLookup(() => allowPrivateTargets || this.upstreamIsPrivate) }),
    });
    if (!isUpstream) return connect;
    return (target, callback) =>
      connect(target, (...result) => {
        const [error, socket] = result;
        if (error === null) this.#connectedToPrivate = isPrivateAddress(socket.remoteAddress ?? '');
        callback(...result);
      });
  }
}

type TlsSettings = Pick<tls.ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>;

function ownTls({ ca, cert, key, insecure }: UpstreamTls): TlsSettings {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: !insecure,
  };
}

/** An organisation's own authority may stand behind its object store and token endpoint as well. */
function foreignTls({ ca }: UpstreamTls): TlsSettings {
  return ca === undefined ? {} : { ca: [...tls.getCACertificates('default'), ca] };
}

function queueFailure(error: unknown, request: string, signal: AbortSignal): UpstreamError {
  if (!(error instanceof OverloadedError)) return transportFailure(error, request, signal);
  return new UpstreamError('unavailable', `${request}: ${error.message}`, { request, cause: error });
}
