/**
 * One HTTP exchange, nothing followed, nothing retried, nothing decoded. Fails with UpstreamError: `unavailable` for
 * what went wrong on the way, `malformed` for an address that is off limits or an answer that is no HTTP.
 */
export interface HttpTransport {
  /**
   * Resolves with the head of the answer. The caller consumes the body or discards it, else a connection stays taken.
   * `signal` ends the exchange, its body too.
   */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Whether the upstream itself lies on a private address, by its name or by what was last connected to. */
  readonly upstreamIsPrivate: boolean;
  /** Drops all connections; running exchanges fail. */
  close(): Promise<void>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Blob bodies take their own connections, so that a manifest never waits behind them. */
  readonly lane: 'control' | 'bulk';
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly url: URL;
  /** By lower-case name; the first one where the field is repeated. */
  header(name: string): string | undefined;
  /** All lines of a field, in order. */
  headerLines(name: string): readonly string[];
  /**
   * The body as it comes, pulled by the reader; read once. Throws UpstreamError where the connection ends early or stays
   * silent for too long. Leaving the loop early drops the connection.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives up the body. Safe at any time. */
  discard(): void;
}
