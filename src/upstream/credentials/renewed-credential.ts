import type { Clock } from '../../base/clock.ts';
import { errorFields } from '../../base/error-fields.ts';
import type { Logger } from '../../base/logger.ts';
import { SingleFlight } from '../../base/single-flight.ts';
import type { Credential, CredentialSource } from '../credential.ts';
import { credentialFingerprint } from '../credential.ts';
import { CredentialGate } from '../credential-gate.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { CredentialContext } from './credential-context.ts';
import type { Login, ObtainedCredential } from './login.ts';

export interface RenewalLimits {
  /** How long one login may take. */
  readonly loginMs: number;
  /** Between two tries to renew a credential that is still good. */
  readonly retryMs: number;
  /** How old a credential must be to be replaced because the registry turned it away. */
  readonly rejectedAfterMs: number;
}

export interface RenewedCredentialOptions {
  readonly id: string;
  readonly login: Login;
  readonly limits: RenewalLimits;
  readonly context: CredentialContext;
}

interface Holding extends ObtainedCredential {
  /** Of the login. */
  readonly fingerprint: string;
  readonly obtainedAtMs: number;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

/** Renewed at this part of its life: ECR's 12 hours leave more than two for a cloud that is away. */
const renewAtShare = 0.8;

/** What counts where the issuer's clock and ours are so far apart that a new credential looks spent. */
const shortestLifeMs = 60_000;

/**
 * Keeps one credential of limited life at hand. Renewed in the background while it is good, so that nobody waits; one
 * login at a time; a login that is turned away is tried as often as any wrong credential, and at once when its secret
 * has changed.
 */
export class RenewedCredential implements CredentialSource {
  readonly id: string;
  readonly #options: RenewedCredentialOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #gate: CredentialGate;
  readonly #flights = new SingleFlight<string, Holding>();
  #holding: Holding | undefined;
  #retryAtMs = 0;

  constructor(options: RenewedCredentialOptions) {
    const { context, id } = options;
    this.id = id;
    this.#options = options;
    this.#clock = context.clock;
    this.#logger = context.logger;
    this.#gate = new CredentialGate({ ...context, credentialId: id });
  }

  async read(signal: AbortSignal): Promise<Credential> {
    const fingerprint = await this.#options.login.fingerprint();
    const holding = this.#holding;
    const nowMs = this.#clock.monotonicMs();
    if (holding === undefined || holding.fingerprint !== fingerprint || nowMs >= holding.endsAtMs) {
      return (await this.#renew(fingerprint, signal)).credential;
    }
    if (nowMs >= holding.renewAtMs && nowMs >= this.#retryAtMs) this.#renewBehind(fingerprint);
    return holding.credential;
  }

  /** The registry turned it away: revoked before its time, perhaps. One that is new would fare no better. */
  rejected(credential: Credential): void {
    const holding = this.#holding;
    if (holding === undefined) return;
    if (credentialFingerprint(holding.credential) !== credentialFingerprint(credential)) return;
    const endsAtMs = Math.min(holding.endsAtMs, holding.obtainedAtMs + this.#options.limits.rejectedAfterMs);
    this.#holding = { ...holding, renewAtMs: Math.min(holding.renewAtMs, endsAtMs), endsAtMs };
  }

  #renewBehind(fingerprint: string): void {
    this.#retryAtMs = this.#clock.monotonicMs() + this.#options.limits.retryMs;
    this.#renew(fingerprint).catch((error: unknown) =>
      this.#logger.warn('a credential could not be renewed; the one at hand is used until it ends', {
        credential: this.id,
        error: errorFields(error),
      }),
    );
  }

  async #renew(fingerprint: string, signal?: AbortSignal): Promise<Holding> {
    const { value } = await this.#flights.run(
      fingerprint,
      async (flightSignal) =>
        this.#gate.attempt(
          fingerprint,
          async (loginSignal) => this.#obtain(fingerprint, loginSignal),
          flightSignal,
        ),
      signal,
    );
    return value;
  }

  async #obtain(fingerprint: string, signal: AbortSignal): Promise<Holding> {
    const { login, limits, context } = this.#options;
    const late = new AbortController();
    const alarm = this.#clock.schedule(limits.loginMs, () =>
      late.abort(new UpstreamError('unavailable', `credential ${this.id}: the login took too long`)),
    );
    try {
      const obtained = await login.obtain(AbortSignal.any([signal, late.signal]));
      const obtainedAtMs = this.#clock.monotonicMs();
      const lifeMs = Math.max(shortestLifeMs, obtained.expiresAtMs - this.#clock.nowMs());
      const endsAtMs = obtainedAtMs + lifeMs;
      const renewAtMs = obtainedAtMs + lifeMs * renewAtShare;
      this.#holding = { ...obtained, fingerprint, obtainedAtMs, renewAtMs, endsAtMs };
      context.metrics.setCredentialExpiry(this.id, obtained.expiresAtMs);
      return this.#holding;
    } catch (error) {
      // Libraries have errors of their own for an abort.
      late.signal.throwIfAborted();
      signal.throwIfAborted();
      throw error;
    } finally {
      alarm.cancel();
    }
  }
}
