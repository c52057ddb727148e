import { describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';

describe('systemClock', () => {
  it('rejects a sleep with the reason of the signal', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
  });

  it('rejects at once when the signal has aborted before', async () => {
    await expect(systemClock.sleep(60_000, AbortSignal.abort(new Error('early')))).rejects.toThrow('early');
  });

  it('waits for durations beyond the 32-bit limit of timers', () => {
    vi.useFakeTimers();
    try {
      const action = vi.fn<() => void>();
      const thirtyDaysMs = 30 * 86_400_000;
      systemClock.schedule(thirtyDaysMs, action);
      vi.advanceTimersByTime(thirtyDaysMs - 1);
      expect(action).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(action).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not run a cancelled action', () => {
    vi.useFakeTimers();
    try {
      const action = vi.fn<() => void>();
      systemClock.schedule(10, action).cancel();
      vi.advanceTimersByTime(1_000);
      expect(action).not.toHaveBeenCalled();
    } finally {
      vi.useRealTimers();
    }
  });
});
