import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** What is waited for, for the message of the failure. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
}

/** Asks `probe` until it gives a value; fails after `timeoutMs`. An error of the probe ends the wait at once. */
export async function waitUntil<Value>(
  probe: () => Promise<Value | undefined> | Value | undefined,
  options: WaitOptions,
): Promise<Value> {
  const deadlineMs = performance.now() + options.timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadlineMs)
      throw new Error(`waited ${options.timeoutMs} ms in vain for ${options.what}`);
    await delay(options.intervalMs ?? 50);
  }
}
