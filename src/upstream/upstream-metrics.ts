import type { Counter, Family, Gauge, Histogram, Metrics } from '../base/metrics.ts';

export type BreakerState = 'closed' | 'half-open' | 'open';

const breakerValues: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** From a warm cache nearby to a registry that is about to time out. */
const headerSecondsBuckets = [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

/** All that is counted of one upstream. */
export class UpstreamMetrics {
  readonly #upstream: string;
  readonly #requests: Family<Counter>;
  readonly #bytes: Counter;
  readonly #headerSeconds: Histogram;
  readonly #breaker: Gauge;
  readonly #remaining: Family<Gauge>;
  readonly #rejected: Family<Gauge>;
  readonly #expiry: Family<Gauge>;

  constructor(metrics: Metrics, upstream: string) {
    this.#upstream = upstream;
    this.#requests = metrics.counter({
      name: 'wherry_upstream_requests_total',
      help: 'Calls to upstream registries by what came of them.',
      labels: ['upstream', 'operation', 'result'],
    });
    this.#bytes = metrics
      .counter({
        name: 'wherry_upstream_bytes_total',
        help: 'Body bytes received from upstream registries.',
        labels: ['upstream'],
      })
      .with(upstream);
    this.#headerSeconds = metrics
      .histogram({
        name: 'wherry_upstream_header_seconds',
        help: 'Time until an upstream answered with a header, connecting included.',
        labels: ['upstream'],
        buckets: headerSecondsBuckets,
      })
      .with(upstream);
    this.#breaker = metrics
      .gauge({
        name: 'wherry_upstream_breaker_state',
        help: 'Circuit breaker of an upstream: 0 closed, 1 half-open, 2 open.',
        labels: ['upstream'],
      })
      .with(upstream);
    this.#remaining = metrics.gauge({
      name: 'wherry_upstream_ratelimit_remaining',
      help: 'Pulls that an upstream still grants to a credential in the current window.',
      labels: ['upstream', 'credential'],
    });
    this.#rejected = metrics.gauge({
      name: 'wherry_upstream_credential_rejected',
      help: '1 while an upstream rejects a credential of ours.',
      labels: ['upstream', 'credential'],
    });
    this.#expiry = metrics.gauge({
      name: 'wherry_upstream_credential_expiry_timestamp_seconds',
      help: 'When a credential of limited life ends, in seconds since the epoch; it is renewed well before.',
      labels: ['upstream', 'credential'],
    });
    this.setBreaker('closed');
  }

  countRequest(operation: string, result: string): void {
    this.#requests.with(this.#upstream, operation, result).add();
  }

  addBytes(bytes: number): void {
    this.#bytes.add(bytes);
  }

  observeHeader(durationMs: number): void {
    this.#headerSeconds.observe(durationMs / 1000);
  }

  setBreaker(state: BreakerState): void {
    this.#breaker.set(breakerValues[state]);
  }

  setRateLimitRemaining(credentialId: string, remaining: number): void {
    this.#remaining.with(this.#upstream, credentialId).set(remaining);
  }

  setRejected(credentialId: string, rejected: boolean): void {
    this.#rejected.with(this.#upstream, credentialId).set(rejected ? 1 : 0);
  }

  setCredentialExpiry(credentialId: string, expiresAtMs: number): void {
    this.#expiry.with(this.#upstream, credentialId).set(expiresAtMs / 1000);
  }
}
