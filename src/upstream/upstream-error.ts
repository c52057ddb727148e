/**
 * What went wrong with an upstream, by what it means for the cache.
 *
 * Verdicts, given to a good credential (or to an anonymous caller where there is none), are obeyed:
 * - `absent`: 404 for this repository, manifest or blob
 * - `denied`: the credential works but may not read this repository (403, or 401 after a token was granted)
 *
 * Everything else is an outage: the answer says nothing about the content.
 * - `credential`: the edge's own credential was rejected
 * - `throttled`: 429, with `retryAfterMs` where the upstream names it
 * - `unavailable`: no connection, no header in time, 5xx, a broken transfer, an open breaker
 * - `malformed`: an answer that breaks the protocol (wrong length, digest, media type, redirect or realm refused)
 */
export type UpstreamErrorKind =
  | 'absent'
  | 'denied'
  | 'credential'
  | 'throttled'
  | 'unavailable'
  | 'malformed';

export interface UpstreamErrorOptions {
  readonly status?: number;
  /** `GET https://host/path`, query and userinfo removed. */
  readonly request?: string;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly kind: UpstreamErrorKind;
  readonly status: number | undefined;
  readonly request: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: UpstreamErrorKind, message: string, options: UpstreamErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.status = options.status;
    this.request = options.request;
    this.retryAfterMs = options.retryAfterMs;
  }

  get isVerdict(): boolean {
    return this.kind === 'absent' || this.kind === 'denied';
  }
}
