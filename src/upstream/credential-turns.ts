import assert from 'node:assert/strict';
import type { Clock } from '../base/clock.ts';
import { Breaker, type BreakerLimits, type Permit } from './breaker.ts';
import type { RegistryClient } from './registry-client.ts';
import { UpstreamError } from './upstream-error.ts';

/** One credential's way to the upstream. */
export interface Seat {
  readonly id: string;
  readonly client: RegistryClient;
  /** How many pulls the upstream still grants it. */
  readonly budget: { readonly remaining: number };
  /** Whether it was rejected so often that it rests: no login is made then. */
  readonly gate: { readonly isClosed: boolean };
}

interface ThrottledSeat extends Seat {
  /** Docker Hub counts manifest GETs only: a spent budget must not stop blobs and HEADs. */
  readonly pulls: Breaker;
  readonly others: Breaker;
}

/**
 * Spends several credentials of one upstream: those with most budget left first, in rotation where they are equal. What
 * one credential is refused is tried with the next at once.
 */
export class CredentialTurns {
  readonly #seats: readonly ThrottledSeat[];
  #rotation = 0;

  constructor(options: {
    seats: readonly Seat[];
    limits: BreakerLimits;
    clock: Clock;
    random: () => number;
  }) {
    const { seats, limits, clock, random } = options;
    assert(seats.length > 0, 'an upstream has at least the anonymous credential');
    const breaker = (): Breaker => new Breaker({ limits, clock, random, onChange: () => undefined });
    this.#seats = seats.map((seat) => ({ ...seat, pulls: breaker(), others: breaker() }));
  }

  /** True while no credential may be used for anything. */
  get allBlocked(): boolean {
    return this.#seats.every(({ gate, pulls, others }) => gate.isClosed || (pulls.isOpen && others.isOpen));
  }

  /** Fails with what the last credential was told, an outage rather than a verdict where they differ. */
  async run<T>(
    operation: string,
    call: (client: RegistryClient) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const kind = operation === 'get-manifest' ? 'pulls' : 'others';
    let failure: UpstreamError | undefined;
    for (const seat of this.#inOrder()) {
      const permit = seat[kind].enter();
      if (permit === undefined) continue;
      try {
        const value = await call(seat.client);
        permit.succeed();
        return value;
      } catch (error) {
        settle(permit, error, signal);
        if (signal.aborted || !(error instanceof UpstreamError) || !isPersonal(error)) throw error;
        if (failure === undefined || failure.isVerdict) failure = error;
      }
    }
    throw failure ?? this.#nobodyLeft(kind);
  }

  /** A credential that rests comes last and not never: only reading it tells whether it was changed. */
  #inOrder(): readonly ThrottledSeat[] {
    const start = this.#rotation % this.#seats.length;
    this.#rotation += 1;
    const rotated = [...this.#seats.slice(start), ...this.#seats.slice(0, start)];
    return rotated.sort(
      (one, other) =>
        Number(one.gate.isClosed) - Number(other.gate.isClosed) ||
        compareBudgets(other.budget.remaining, one.budget.remaining),
    );
  }

  #nobodyLeft(kind: 'pulls' | 'others'): UpstreamError {
    const retryAfterMs = Math.min(...this.#seats.map((seat) => seat[kind].remainingMs));
    return new UpstreamError('throttled', 'the upstream throttles each credential there is', {
      retryAfterMs,
    });
  }
}

/** Whether another credential might fare better. */
function isPersonal(error: UpstreamError): boolean {
  return error.kind === 'throttled' || error.kind === 'credential' || error.kind === 'denied';
}

function settle(permit: Permit, error: unknown, signal: AbortSignal): void {
  const kind = error instanceof UpstreamError && !signal.aborted ? error.kind : undefined;
  if (kind === 'throttled' && error instanceof UpstreamError) permit.fail(error.retryAfterMs);
  else if (kind === 'absent' || kind === 'denied') permit.succeed();
  else permit.abandon();
}

/** Both may be infinite, and their difference no number. */
function compareBudgets(one: number, other: number): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
