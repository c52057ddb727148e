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

/** Node fires a longer timer at once (32-bit milliseconds, about 24.8 days). */
const maxTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (durationMs, signal) => {
    try {
      for (let leftMs = durationMs; leftMs >= 0; leftMs -= maxTimerMs) {
        await delay(Math.min(leftMs, maxTimerMs), undefined, signal === undefined ? {} : { signal });
      }
    } catch (error) {
      // Node wraps the reason in an AbortError of its own.
      signal?.throwIfAborted();
      throw error;
    }
  },
  schedule: (durationMs, action) => {
    let leftMs = durationMs;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const waitMs = Math.min(leftMs, maxTimerMs);
      leftMs -= waitMs;
      timer = setTimeout(leftMs > 0 ? arm : action, waitMs);
      timer.unref();
    };
    arm();
    return { cancel: () => clearTimeout(timer) };
  },
};
