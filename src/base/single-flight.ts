interface Flight<Value> {
  readonly work: AbortController;
  readonly result: Promise<Value>;
  callers: number;
}

export interface FlightResult<Value> {
  readonly value: Value;
  /** True for the callers who joined work that another one had started. */
  readonly collapsed: boolean;
}

/** Runs the same work once for all who ask while it is running. Nothing is remembered after it settled. */
export class SingleFlight<Key extends string, Value> {
  readonly #flights = new Map<Key, Flight<Value>>();

  /** How many keys have work running. */
  get size(): number {
    return this.#flights.size;
  }

  /**
   * Joins the running work of `key`, or starts `work`. All who joined get the same value or the same error. A caller
   * whose signal aborts gets that signal's reason, and the others notice nothing; when the last one has left, the signal
   * that `work` was given aborts and the key is free at once, however long the work takes to end.
   */
  async run(
    key: Key,
    work: (signal: AbortSignal) => Promise<Value>,
    callerSignal?: AbortSignal,
  ): Promise<FlightResult<Value>> {
    callerSignal?.throwIfAborted();
    const running = this.#flights.get(key);
    const flight = running ?? this.#start(key, work);
    flight.callers += 1;
    const leave = (): void => this.#leave(key, flight, callerSignal?.reason);
    const value = await untilAborted(flight.result, callerSignal, leave);
    return { value, collapsed: running !== undefined };
  }

  #start(key: Key, work: (signal: AbortSignal) => Promise<Value>): Flight<Value> {
    const controller = new AbortController();
    const flight: Flight<Value> = {
      work: controller,
      // Started a microtask later: the flight is on the map by then, also when the work asks for its own size or key.
      result: Promise.resolve()
        .then(async () => work(controller.signal))
        .finally(() => this.#free(key, flight)),
      callers: 0,
    };
    // When all callers have left, nobody is there to be told of a failure: it is the abort that they asked for.
    flight.result.catch(() => undefined);
    this.#flights.set(key, flight);
    return flight;
  }

  #leave(key: Key, flight: Flight<Value>, reason: unknown): void {
    flight.callers -= 1;
    if (flight.callers > 0) return;
    this.#free(key, flight);
    flight.work.abort(reason);
  }

  /** By then the key may carry a newer flight. */
  #free(key: Key, flight: Flight<Value>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

async function untilAborted<Value>(
  result: Promise<Value>,
  signal: AbortSignal | undefined,
  leave: () => void,
): Promise<Value> {
  if (signal === undefined) return result;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    leave();
    aborted.reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([result, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
