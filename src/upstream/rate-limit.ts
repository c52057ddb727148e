/** What an upstream said of its pull limit (Docker Hub, "Pull usage and limits"). */
export interface RateLimit {
  readonly limit: number | undefined;
  readonly remaining: number;
  readonly windowSeconds: number | undefined;
  /** What the upstream counts by: an address or an account's id. */
  readonly source: string | undefined;
}

/** `76;w=21600`: a number, and the seconds that it is good for. */
const valueWithWindow = /^\s*(\d{1,12})\s*(?:;\s*w\s*=\s*(\d{1,12}))?/;

/** `undefined` where the answer says nothing, which at Docker Hub means: no limit. */
export function parseRateLimit(header: (name: string) => string | undefined): RateLimit | undefined {
  const remaining = valueWithWindow.exec(header('ratelimit-remaining') ?? '');
  if (remaining === null) return undefined;
  const limit = valueWithWindow.exec(header('ratelimit-limit') ?? '');
  const window = remaining[2] ?? limit?.[2];
  return {
    limit: limit === null ? undefined : Number(limit[1]),
    remaining: Number(remaining[1]),
    windowSeconds: window === undefined ? undefined : Number(window),
    source: header('docker-ratelimit-source'),
  };
}

/** The last word on one credential's budget. */
export class RateLimitBudget {
  #latest: RateLimit | undefined;
  readonly #onChange: (limit: RateLimit) => void;

  constructor(onChange: (limit: RateLimit) => void) {
    this.#onChange = onChange;
  }

  get latest(): RateLimit | undefined {
    return this.#latest;
  }

  /** How many pulls are left; infinite where the upstream never named a limit. */
  get remaining(): number {
    return this.#latest?.remaining ?? Number.POSITIVE_INFINITY;
  }

  update(limit: RateLimit): void {
    this.#latest = limit;
    this.#onChange(limit);
  }
}
