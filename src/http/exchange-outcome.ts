/** How a request ended. */
export interface ExchangeOutcome {
  /** The answer's status; `abandonedStatus` where the client left before there was one. */
  readonly status: number;
  /** The client left, or was cut off, before its answer was complete. */
  readonly aborted: boolean;
  /** From the request's head to the last byte of the answer. */
  readonly durationMs: number;
  readonly remoteAddress: string | undefined;
}

/** No code of HTTP; nginx's logs made it the usual one for a client that closed its request. */
export const abandonedStatus = 499;
