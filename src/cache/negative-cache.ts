import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import type { UpstreamError } from '../upstream/upstream-error.ts';

const maxEntries = 10_000;

/** Remembers for a short while that an upstream refused something, so that it is not asked again for each client. */
export class NegativeCache {
  readonly #clock: Clock;
  readonly #refusals = new LRUCache<string, { readonly error: UpstreamError; readonly untilMs: number }>({
    max: maxEntries,
  });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Only verdicts may be remembered: an outage says nothing about the content. */
  remember(subject: string, error: UpstreamError, lifetimeMs: number): void {
    if (error.isVerdict)
      this.#refusals.set(subject, { error, untilMs: this.#clock.monotonicMs() + lifetimeMs });
  }

  refusal(subject: string): UpstreamError | undefined {
    const refusal = this.#refusals.get(subject);
    return refusal !== undefined && refusal.untilMs > this.#clock.monotonicMs() ? refusal.error : undefined;
  }

  /** After it was asked again and is there. */
  forget(subject: string): void {
    this.#refusals.delete(subject);
  }
}
