import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { BlobReader } from './blob-reader.ts';
import type { BreakerLimits } from './breaker.ts';
import { CredentialGate, type RejectionLimits } from './credential-gate.ts';
import { anonymous, type CredentialSource } from './credential.ts';
import type { OpenCredential } from './credentials/credential-context.ts';
import { EgressAgent } from './egress-agent.ts';
import type { EgressRoute } from './egress-route.ts';
import { failedAnswer } from './failed-answer.ts';
import { HttpRegistryClient } from './http-registry-client.ts';
import type { HttpAnswer, HttpTransport } from './http-transport.ts';
import { ListingReader, type ListingLimits } from './listing-reader.ts';
import { ManifestReader } from './manifest-reader.ts';
import { RateLimitBudget, type RateLimit } from './rate-limit.ts';
import type { RegistryClient, UpstreamHealth } from './registry-client.ts';
import { RegistryExchange } from './registry-exchange.ts';
import { ResilientRegistryClient } from './resilient-registry-client.ts';
import { SignIn } from './sign-in.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import { TokenSource } from './token-source.ts';
import { UndiciTransport, type TransportOptions, type UpstreamTls } from './undici-transport.ts';
import { UpstreamMetrics } from './upstream-metrics.ts';
import type { Seat } from './credential-turns.ts';

export interface HttpUpstreamOptions {
  /** As in image names: `docker.io`. For logs and metrics. */
  readonly name: string;
  /** `https://registry-1.docker.io`; a path in front of `/v2/` is kept. */
  readonly url: URL;
  /** Used in turn. None means anonymous. */
  readonly credentials: readonly (CredentialSource | OpenCredential)[];
  /** Origins of token endpoints that may see these credentials although they are not of the upstream's domain. */
  readonly trustedRealms: readonly string[];
  readonly tls: UpstreamTls;
  readonly timeouts: TransportOptions['timeouts'];
  readonly maxConnections: number;
  /** Requests that may wait for a connection, for blobs and for all else. */
  readonly maxQueued: number;
  readonly breaker: BreakerLimits;
  readonly rejection: RejectionLimits;
  readonly listing: ListingLimits;
  /** Tokens kept, and repositories whose way of signing in is remembered for each credential. */
  readonly maxTokens: number;
  /** Follow redirects and realms to private addresses although the upstream is on a public one. */
  readonly allowPrivateTargets: boolean;
  readonly egress: EgressRoute;
  /** `wherry/1.2.3` */
  readonly userAgent: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface HttpUpstream extends RegistryClient {
  health(): UpstreamHealth;
  /** The pull limit that each credential was last told, by its id; a credential that was told none is missing. */
  rateLimits(): ReadonlyMap<string, RateLimit>;
  /**
   * Asks for the upstream's base without a credential and past the breaker: whether it can be reached now, and what says
   * so. 401 is an answer too. Fails with UpstreamError.
   */
  reach(signal: AbortSignal): Promise<{ readonly status: number }>;
  /** Drops all connections; running calls fail. */
  close(): Promise<void>;
}

/** Puts the client of one upstream together. */
export function createHttpUpstream(options: HttpUpstreamOptions): HttpUpstream {
  const metrics = new UpstreamMetrics(options.metrics, options.name);
  const logger = options.logger.child({ upstream: options.name });
  const { clock, random, breaker, name } = options;
  const transport = new UndiciTransport({ ...options, metrics });
  const endpoint = new TokenEndpoint(transport, clock);
  const tokens = new TokenSource({ endpoint, clock, maxTokens: options.maxTokens });
  const { egress, userAgent, timeouts } = options;
  const httpsAgent = (): EgressAgent =>
    new EgressAgent({ egress, userAgent, timeoutMs: timeouts.connectMs, clock });
  const context = {
    upstream: options.url,
    limits: options.rejection,
    transport,
    httpsAgent,
    clock,
    logger,
    metrics,
  };
  const opened = options.credentials.map((credential) =>
    typeof credential === 'function' ? credential(context) : credential,
  );
  const sources = opened.length === 0 ? [anonymous] : opened;
  const seats = sources.map((source) => createSeat(options, { source, transport, tokens, logger, metrics }));
  const client = new ResilientRegistryClient({ name, seats, breaker, clock, random, logger, metrics });
  return {
    headManifest: async (...call) => client.headManifest(...call),
    getManifest: async (...call) => client.getManifest(...call),
    headBlob: async (...call) => client.headBlob(...call),
    getBlob: async (...call) => client.getBlob(...call),
    listTags: async (...call) => client.listTags(...call),
    listReferrers: async (...call) => client.listReferrers(...call),
    health: () => client.health(),
    rateLimits: () =>
      new Map(seats.flatMap(({ id, budget }) => (budget.latest === undefined ? [] : [[id, budget.latest]]))),
    reach: async (signal) => {
      const answer = await askBase({ ...options, transport, headers: {}, signal });
      answer.discard();
      return { status: answer.status };
    },
    close: async () => transport.close(),
  };
}

interface SeatParts {
  readonly source: CredentialSource;
  readonly transport: HttpTransport;
  readonly tokens: TokenSource;
  readonly logger: Logger;
  readonly metrics: UpstreamMetrics;
}

interface HttpSeat extends Seat {
  readonly budget: RateLimitBudget;
}

function createSeat(options: HttpUpstreamOptions, parts: SeatParts): HttpSeat {
  const { source, transport, tokens, logger, metrics } = parts;
  const { clock, url, allowPrivateTargets, trustedRealms } = options;
  const gate = new CredentialGate({
    credentialId: source.id,
    limits: options.rejection,
    clock,
    logger,
    metrics,
  });
  const budget = new RateLimitBudget(({ remaining }) => metrics.setRateLimitRemaining(source.id, remaining));
  const signIn = new SignIn({
    source,
    gate,
    tokens,
    realmRules: () => ({
      upstream: url,
      trustedRealms,
      allowPrivate: allowPrivateTargets || transport.upstreamIsPrivate,
    }),
    probeBasic: async (authorization, signal) => probeBasic({ url, transport, clock, authorization, signal }),
    maxRepositories: options.maxTokens,
  });
  const exchange = new RegistryExchange({ base: url, transport, signIn, allowPrivateTargets, clock });
  const manifests = new ManifestReader(exchange, budget);
  const client = new HttpRegistryClient({
    manifests,
    blobs: new BlobReader(exchange),
    listings: new ListingReader({ exchange, manifests, limits: options.listing, clock }),
  });
  return { id: source.id, client, budget, gate };
}

/** Asks for the upstream's base (distribution-spec, "Determining Support"), which anyone who may sign in may read. */
async function probeBasic(probe: {
  url: URL;
  transport: HttpTransport;
  clock: Clock;
  authorization: string;
  signal: AbortSignal;
}): Promise<void> {
  const { url, transport, clock, authorization, signal } = probe;
  const answer = await askBase({ url, transport, headers: { authorization }, signal });
  const isRefused = answer.status === 401 || answer.status === 403;
  if (isRefused || answer.status === 429 || answer.status >= 500) {
    const context = { method: 'GET', nowMs: clock.nowMs() };
    throw await failedAnswer(answer, isRefused ? { ...context, kind: 'credential' } : context);
  }
  answer.discard();
}

async function askBase(request: {
  url: URL;
  transport: HttpTransport;
  headers: Readonly<Record<string, string>>;
  signal: AbortSignal;
}): Promise<HttpAnswer> {
  const { url, transport, headers, signal } = request;
  const base = new URL(`${url.pathname.replace(/\/+$/, '')}/v2/`, url);
  return transport.send({ method: 'GET', url: base, headers, lane: 'control', signal });
}
