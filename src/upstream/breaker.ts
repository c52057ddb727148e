import type { Clock } from '../base/clock.ts';
import type { BreakerState } from './upstream-metrics.ts';

export interface BreakerLimits {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open the first time; each failed probe doubles it. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

export interface BreakerOptions {
  readonly limits: BreakerLimits;
  readonly clock: Clock;
  /** Uniform in [0, 1): shortens a pause by up to a fifth, so that nodes that failed together do not probe together. */
  readonly random: () => number;
  /** Called at each change, with the pause where it opened. */
  readonly onChange: (state: BreakerState, pauseMs: number) => void;
}

/** Leave to make one call. Exactly one of its methods is called, when the call's outcome is known. */
export interface Permit {
  succeed(): void;
  /** `pauseMs`: open now, for that long: the other side named a time. */
  fail(pauseMs?: number): void;
  /** The call was given up and says nothing. */
  abandon(): void;
}

/**
 * A circuit breaker: closed until so many calls failed in a row, then open for a pause, then half-open: one call may try,
 * and decides.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #failures = 0;
  #pauses = 0;
  #openUntilMs = 0;
  #isProbing = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** True while calls are turned away. */
  get isOpen(): boolean {
    return this.#state === 'open' ? this.remainingMs > 0 : this.#state === 'half-open' && this.#isProbing;
  }

  /** How long it stays open; 0 when it is not. */
  get remainingMs(): number {
    if (this.#state !== 'open') return 0;
    return Math.max(0, this.#openUntilMs - this.#options.clock.monotonicMs());
  }

  /** `undefined` while it is open, and while another call is the probe. */
  enter(): Permit | undefined {
    if (this.isOpen) return undefined;
    if (this.#state === 'open') this.#change('half-open', 0);
    const isProbe = this.#state === 'half-open';
    if (isProbe) this.#isProbing = true;
    return {
      succeed: () => this.#succeed(),
      fail: (pauseMs) => this.#fail(isProbe, pauseMs),
      abandon: () => this.#endProbe(isProbe),
    };
  }

  /** Opens it whatever it has counted. */
  trip(): void {
    if (this.#state !== 'open') this.#open();
  }

  /** An answer is an answer, also to a call that began before it opened. */
  #succeed(): void {
    this.#isProbing = false;
    this.#failures = 0;
    this.#pauses = 0;
    if (this.#state !== 'closed') this.#change('closed', 0);
  }

  /** What began before it opened adds nothing to what opened it. */
  #fail(isProbe: boolean, pauseMs: number | undefined): void {
    this.#endProbe(isProbe);
    this.#failures += 1;
    if (this.#state === 'open') return;
    if (isProbe || pauseMs !== undefined || this.#failures >= this.#options.limits.failures)
      this.#open(pauseMs);
  }

  #endProbe(isProbe: boolean): void {
    if (isProbe) this.#isProbing = false;
  }

  #open(namedPauseMs?: number): void {
    const { limits, clock, random } = this.#options;
    const fullMs = Math.min(limits.maxPauseMs, limits.pauseMs * 2 ** this.#pauses);
    const pauseMs = namedPauseMs ?? Math.round(fullMs * (1 - random() / 5));
    if (namedPauseMs === undefined) this.#pauses += 1;
    this.#openUntilMs = clock.monotonicMs() + pauseMs;
    this.#change('open', pauseMs);
  }

  #change(state: BreakerState, pauseMs: number): void {
    this.#state = state;
    this.#options.onChange(state, pauseMs);
  }
}
