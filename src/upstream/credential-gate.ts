import { backoffDelayMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { SingleFlight } from '../base/single-flight.ts';
import { UpstreamError } from './upstream-error.ts';
import type { UpstreamMetrics } from './upstream-metrics.ts';

export interface RejectionLimits {
  /** How often a credential that was rejected is tried before the first pause. */
  readonly attempts: number;
  /** The first pause; each one more is twice as long. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

export interface CredentialGateOptions {
  readonly credentialId: string;
  readonly limits: RejectionLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: UpstreamMetrics;
}

/**
 * Keeps a wrong credential from being tried over and over, which locks accounts. While a credential has not been seen
 * to work, one login at a time is made with it, and those who ask meanwhile share its fate.
 */
export class CredentialGate {
  readonly #options: CredentialGateOptions;
  readonly #logins = new SingleFlight<string, unknown>();
  #fingerprint: string | undefined;
  #proven = false;
  #rejections = 0;
  #closedUntilMs = 0;

  constructor(options: CredentialGateOptions) {
    this.#options = options;
  }

  /** True while no login is tried at all. */
  get isClosed(): boolean {
    return this.#options.clock.monotonicMs() < this.#closedUntilMs;
  }

  /** Whether this very credential is known to work. */
  isProven(fingerprint: string): boolean {
    return this.#proven && this.#fingerprint === fingerprint;
  }

  /**
   * Runs `login` if it may be tried. UpstreamError `credential` from it counts as a rejection, a value as a success;
   * everything else says nothing about the credential. A changed fingerprint starts afresh.
   */
  async attempt<T>(
    fingerprint: string,
    login: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    this.#adopt(fingerprint);
    this.#assertOpen();
    if (!this.#proven) {
      const first = Promise.withResolvers<T>();
      const judged = async (flightSignal: AbortSignal): Promise<void> =>
        first.resolve(await this.#judge(fingerprint, async () => login(flightSignal)));
      const { collapsed } = await this.#logins.run(fingerprint, judged, signal);
      if (!collapsed) return first.promise;
    }
    return this.#judge(fingerprint, async () => login(signal));
  }

  /** The upstream turned the credential away outside of a login. */
  reject(fingerprint: string): void {
    if (this.#fingerprint !== fingerprint) return;
    const { limits, logger, metrics, credentialId, clock } = this.#options;
    this.#proven = false;
    this.#rejections += 1;
    const surplus = this.#rejections - limits.attempts;
    const pauseMs =
      surplus < 0
        ? 0
        : backoffDelayMs(surplus, { firstMs: limits.pauseMs, maxMs: limits.maxPauseMs, random: () => 1 });
    this.#closedUntilMs = clock.monotonicMs() + pauseMs;
    metrics.setRejected(credentialId, true);
    logger.error('the upstream rejects a credential', {
      credential: credentialId,
      rejections: this.#rejections,
      pauseMs,
    });
  }

  #adopt(fingerprint: string): void {
    if (this.#fingerprint === fingerprint) return;
    this.#fingerprint = fingerprint;
    this.#proven = false;
    this.#rejections = 0;
    this.#closedUntilMs = 0;
  }

  #assertOpen(): void {
    if (!this.isClosed) return;
    const { credentialId } = this.#options;
    throw new UpstreamError(
      'credential',
      `credential ${credentialId} was rejected ${this.#rejections} times and is not tried for now`,
    );
  }

  async #judge<T>(fingerprint: string, login: () => Promise<T>): Promise<T> {
    try {
      const value = await login();
      this.#accept(fingerprint);
      return value;
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'credential') this.reject(fingerprint);
      throw error;
    }
  }

  #accept(fingerprint: string): void {
    if (this.#fingerprint !== fingerprint) return;
    const { logger, metrics, credentialId } = this.#options;
    if (this.#rejections > 0)
      logger.info('the upstream accepts a credential again', { credential: credentialId });
    if (!this.#proven) metrics.setRejected(credentialId, false);
    this.#proven = true;
    this.#rejections = 0;
    this.#closedUntilMs = 0;
  }
}
