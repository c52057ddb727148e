import { setTimeout as delay } from 'node:timers/promises';

/** Time as a value that is passed in. Wall time for records, monotonic time for durations. */
export interface Clock {
  /** Milliseconds since the epoch; may jump when the machine's clock is set. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Resolves after `durationMs`; rejects with the signal's reason when that aborts first. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Runs `action` once after `durationMs` unless cancelled; never keeps the process alive. */
  schedule(durationMs: number, action: () => void): { cancel(): void };
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (durationMs, signal) => {
    await delay(durationMs, undefined, signal === undefined ? {} : { signal });
  },
  schedule: (durationMs, action) => {
    const timer = setTimeout(action, durationMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
