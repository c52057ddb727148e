export interface BackoffOptions {
  /** Upper bound of the first delay. */
  readonly firstMs: number;
  /** Upper bound of every delay. */
  readonly maxMs: number;
  /** Uniform in [0, 1), as Math.random. */
  readonly random: () => number;
}

/**
 * How long to wait before retry `attempt`, counted from 0: uniform between nothing and a bound that doubles each time.
 * The full spread ("full jitter") keeps nodes that failed together from coming back together.
 */
export function backoffDelayMs(attempt: number, options: BackoffOptions): number {
  const boundMs = Math.min(options.maxMs, options.firstMs * 2 ** Math.max(0, attempt));
  return Math.floor(options.random() * boundMs);
}
