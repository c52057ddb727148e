import type { Clock } from '../base/clock.ts';
import { OverloadedError } from '../base/limiter.ts';
import type { Logger } from '../base/logger.ts';
import type { Span } from '../base/range-set.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { Breaker, type BreakerLimits, type Permit } from './breaker.ts';
import { CredentialTurns, type Seat } from './credential-turns.ts';
import type {
  BlobHead,
  BlobStream,
  FetchedManifest,
  ManifestHead,
  ReferrersListing,
  RegistryClient,
  UpstreamHealth,
} from './registry-client.ts';
import { givenUp } from './transport-failure.ts';
import { UpstreamError } from './upstream-error.ts';
import type { BreakerState, UpstreamMetrics } from './upstream-metrics.ts';

export interface ResilientOptions {
  readonly name: string;
  /** One client for each credential; at least one. */
  readonly seats: readonly Seat[];
  readonly breaker: BreakerLimits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: UpstreamMetrics;
}

/** A body that brought this much before it broke off was worth asking for. */
const progressBytes = 64 * 1024;

/** Each request may meet such an answer; a line a minute tells as much. */
const malformedQuietMs = 60_000;

/**
 * Wraps the clients of one upstream: spends its credentials in turn, and stops calling what does not answer. While its
 * breaker is open, calls fail at once with UpstreamError `unavailable`. Verdicts are successes here; a caller that gives
 * up is no outage.
 */
export class ResilientRegistryClient implements RegistryClient {
  readonly #options: ResilientOptions;
  readonly #breaker: Breaker;
  readonly #turns: CredentialTurns;
  #away = false;
  #answeredAtMs: number | undefined;
  #brokenBodies = 0;
  #malformedQuietUntilMs = 0;

  constructor(options: ResilientOptions) {
    const { seats, breaker: limits, clock, random } = options;
    this.#options = options;
    this.#breaker = new Breaker({
      limits,
      clock,
      random,
      onChange: (state, pauseMs) => this.#onBreakerChange(state, pauseMs),
    });
    this.#turns = new CredentialTurns({ seats, limits, clock, random });
  }

  health(): UpstreamHealth {
    return {
      away: this.#away,
      breakerOpen: this.#breaker.isOpen || this.#turns.allBlocked,
      answeredAtMs: this.#answeredAtMs,
    };
  }

  async headManifest(
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<ManifestHead> {
    return this.#run('head-manifest', signal, async (client) =>
      client.headManifest(repository, reference, signal),
    );
  }

  async getManifest(
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<FetchedManifest> {
    return this.#run('get-manifest', signal, async (client) =>
      client.getManifest(repository, reference, signal),
    );
  }

  async headBlob(repository: RepositoryName, digest: Digest, signal: AbortSignal): Promise<BlobHead> {
    return this.#run('head-blob', signal, async (client) => client.headBlob(repository, digest, signal));
  }

  async getBlob(
    repository: RepositoryName,
    digest: Digest,
    options: { readonly span?: Span; readonly signal: AbortSignal },
  ): Promise<BlobStream> {
    const { signal } = options;
    const stream = await this.#run('get-blob', signal, async (client) =>
      client.getBlob(repository, digest, options),
    );
    return { ...stream, chunks: this.#watched(stream.chunks, signal) };
  }

  async listTags(repository: RepositoryName, signal: AbortSignal): Promise<readonly string[]> {
    return this.#run('list-tags', signal, async (client) => client.listTags(repository, signal));
  }

  async listReferrers(
    repository: RepositoryName,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<ReferrersListing> {
    return this.#run('list-referrers', signal, async (client) =>
      client.listReferrers(repository, digest, signal),
    );
  }

  async #run<T>(
    operation: string,
    signal: AbortSignal,
    call: (client: RegistryClient) => Promise<T>,
  ): Promise<T> {
    const { metrics, name } = this.#options;
    if (signal.aborted) throw givenUp(`${operation} at ${name}`, signal.reason);
    const permit = this.#breaker.enter();
    if (permit === undefined) {
      metrics.countRequest(operation, 'breaker-open');
      throw new UpstreamError('unavailable', `upstream ${name} is not asked for now: it failed repeatedly`);
    }
    try {
      const value = await this.#turns.run(operation, call, signal);
      permit.succeed();
      this.#noteAnswer();
      metrics.countRequest(operation, 'ok');
      return value;
    } catch (error) {
      this.#judge(permit, error, signal);
      const kind = error instanceof UpstreamError ? error.kind : 'bug';
      metrics.countRequest(operation, signal.aborted ? 'given-up' : kind);
      throw error;
    }
  }

  #judge(permit: Permit, error: unknown, signal: AbortSignal): void {
    const isOurs =
      signal.aborted || !(error instanceof UpstreamError) || error.cause instanceof OverloadedError;
    if (isOurs) {
      permit.abandon();
    } else if (error.kind === 'malformed') {
      permit.abandon();
      this.#tellMalformed(error);
    } else if (error.isVerdict) {
      permit.succeed();
      this.#noteAnswer();
    } else {
      // Once for an outage, not for each request that meets it.
      if (!this.#away)
        this.#options.logger.warn('upstream away', { kind: error.kind, reason: error.message });
      this.#away = true;
      // Throttling and rejection are counted by credential: the upstream itself is well.
      if (error.kind === 'unavailable') permit.fail();
      else permit.abandon();
    }
  }

  /** The client is told nothing of it: what was refused, and which setting would allow it, is for the log alone. */
  #tellMalformed(error: UpstreamError): void {
    const { clock, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#malformedQuietUntilMs) return;
    this.#malformedQuietUntilMs = nowMs + malformedQuietMs;
    logger.warn('upstream answer refused', { reason: error.message });
  }

  #noteAnswer(): void {
    this.#away = false;
    this.#answeredAtMs = this.#options.clock.monotonicMs();
  }

  /**
   * A body that breaks off is repaired by its reader, and on a poor line most of them may. Only those that brought next
   * to nothing, as many in a row as failed calls, are an outage.
   */
  async *#watched(
    chunks: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let bytes = 0;
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        yield chunk;
      }
      this.#brokenBodies = 0;
    } catch (error) {
      const isOutage = !signal.aborted && error instanceof UpstreamError && error.kind === 'unavailable';
      if (isOutage && bytes < progressBytes) this.#countBrokenBody();
      throw error;
    }
  }

  #countBrokenBody(): void {
    this.#brokenBodies += 1;
    if (this.#brokenBodies < this.#options.breaker.failures) return;
    this.#brokenBodies = 0;
    this.#away = true;
    this.#breaker.trip();
  }

  #onBreakerChange(state: BreakerState, pauseMs: number): void {
    const { logger, metrics } = this.#options;
    metrics.setBreaker(state);
    if (state === 'open') logger.warn('upstream breaker open', { pauseMs });
    else logger.info(`upstream breaker ${state}`);
  }
}
