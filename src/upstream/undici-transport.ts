import tls from 'node:tls';
import { Agent, buildConnector, Pool, type Dispatcher } from 'undici';
import type { Clock } from '../base/clock.ts';
import { Limiter, OverloadedError } from '../base/limiter.ts';
import type { EgressProxy, EgressRoute } from './egress-route.ts';
import { guardedLookup } from './guarded-lookup.ts';
import type { HttpAnswer, HttpRequest, HttpTransport } from './http-transport.ts';
import { isPrivateAddress, namesPrivateHost } from './private-address.ts';
import { proxyAuthenticationRequired, refusedByProxy } from './proxy-error.ts';
import { openTunnel } from './proxy-tunnel.ts';
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
  /**
   * The way to the upstream, its token endpoint and where it redirects. A proxy resolves names by itself: what lies
   * behind a name is not judged then, only addresses that are written out.
   */
  readonly egress: EgressRoute;
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
  /** Ends at the origin of a request, directly or through a tunnel. */
  readonly #agent: Agent;
  /** Ends at a proxy, which passes requests on. */
  readonly #proxies: Agent;
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
    this.#agent = this.#pools((origin) => this.#connector(origin));
    this.#proxies = this.#pools(() => proxyConnector(timeouts.connectMs));
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
    await Promise.all([this.#agent.destroy(), this.#proxies.destroy()]);
  }

  async #dispatch(request: HttpRequest, onClose: () => void): Promise<HttpAnswer> {
    const startedMs = this.#options.clock.monotonicMs();
    const exchange = new UndiciExchange(request, {
      onHead: () => this.#options.metrics.observeHeader(this.#options.clock.monotonicMs() - startedMs),
      onBytes: (bytes) => this.#options.metrics.addBytes(bytes),
      onClose,
    });
    const { url } = request;
    const proxy = url.protocol === 'http:' ? this.#options.egress(url) : undefined;
    try {
      if (proxy === undefined) this.#agent.dispatch(this.#message(request), exchange);
      else this.#proxies.dispatch(forwarded(this.#message(request), url, proxy), exchange);
    } catch (error) {
      exchange.onResponseError(undefined, error);
    }
    const answer = await exchange.answer;
    if (proxy === undefined || answer.status !== proxyAuthenticationRequired) return answer;
    answer.discard();
    const refused = refusedByProxy(proxy, answer.status);
    throw transportFailure(refused, `${request.method} ${redactUrl(url)}`, request.signal);
  }

  #message({ method, url, headers, body }: HttpRequest): Message {
    return {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { 'user-agent': this.#options.userAgent, 'accept-encoding': 'identity', ...headers },
      body: body ?? null,
    };
  }

  #pools(connector: (origin: URL) => buildConnector.connector): Agent {
    const { timeouts } = this.#options;
    return new Agent({
      maxOrigins,
      factory: (origin) =>
        new Pool(origin, {
          allowH2: false,
          headersTimeout: timeouts.headersMs,
          bodyTimeout: timeouts.idleMs,
          connect: connector(new URL(origin)),
        }),
    });
  }

  #connector(origin: URL): buildConnector.connector {
    const { tls: upstreamTls, timeouts, url, allowPrivateTargets, egress } = this.#options;
    const isUpstream = isSameOrigin(origin, url);
    const proxy = egress(origin);
    const settings = {
      allowH2: false,
      timeout: timeouts.connectMs,
      ...(isUpstream ? ownTls(upstreamTls) : foreignTls(upstreamTls)),
    };
    if (proxy !== undefined) return this.#tunnelled(buildConnector(settings), origin, proxy);
    if (!isUpstream) {
      const lookup = guardedLookup(() => allowPrivateTargets || this.upstreamIsPrivate);
      return buildConnector({ ...settings, lookup });
    }
    const connect = buildConnector(settings);
    return (target, callback) =>
      connect(target, (...result) => {
        const [error, socket] = result;
        if (error === null) this.#connectedToPrivate = isPrivateAddress(socket.remoteAddress ?? '');
        callback(...result);
      });
  }

  /** TLS with the target inside of a tunnel: the proxy sees a host, a port and ciphertext. */
  #tunnelled(connect: buildConnector.connector, target: URL, proxy: EgressProxy): buildConnector.connector {
    const { timeouts, userAgent, clock } = this.#options;
    return (options, callback) => {
      openTunnel({ proxy, target, timeoutMs: timeouts.connectMs, userAgent, clock }).then(
        (httpSocket) => connect({ ...options, httpSocket }, callback),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
      );
    };
  }
}

type Message = Omit<Dispatcher.DispatchOptions, 'headers'> & { readonly headers: Record<string, string> };

/** The same message in the form that a proxy passes on: the whole URL (RFC 9112, 3.2.2), and the sign-in at the proxy. */
function forwarded(message: Message, url: URL, { url: at, authorization }: EgressProxy): Message {
  const signIn = authorization === undefined ? {} : { 'proxy-authorization': authorization };
  return {
    ...message,
    origin: at.origin,
    path: `${url.origin}${message.path}`,
    headers: { ...message.headers, ...signIn, host: url.host },
  };
}

/** undici takes the name for TLS from the `Host` field, which behind a proxy is not that of the proxy. */
function proxyConnector(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ allowH2: false, timeout: timeoutMs });
  return (options, callback) => connect(withoutServername(options), callback);
}

function withoutServername(options: buildConnector.Options): buildConnector.Options {
  const rest = { ...options };
  delete rest.servername;
  return rest;
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
