import { describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';

describe('ManualClock', () => {
  it('fires timers in order of their time, then of their age', async () => {
    const clock = new ManualClock(0);
    const fired: string[] = [];
    clock.schedule(20, () => fired.push('late'));
    clock.schedule(10, () => fired.push('first'));
    clock.schedule(10, () => fired.push('second'));
    await clock.advance(20);
    expect(fired).toEqual(['first', 'second', 'late']);
  });

  it('fires what a timer or its promises set within the span', async () => {
    const clock = new ManualClock(0);
    const seenMs: number[] = [];
    const loop = (async () => {
      for (let round = 0; round < 3; round += 1) {
        await clock.sleep(10);
        seenMs.push(clock.nowMs());
      }
    })();
    await clock.advance(30);
    await loop;
    expect(seenMs).toEqual([10, 20, 30]);
  });

  it('leaves timers beyond the span waiting', async () => {
    const clock = new ManualClock(0);
    clock.schedule(11, () => expect.unreachable());
    await clock.advance(10);
    expect([clock.waiting, clock.nowMs(), clock.monotonicMs()]).toEqual([1, 10, 10]);
  });

  it('rejects a sleep with the reason of its signal and forgets the timer', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(10, controller.signal);
    controller.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(clock.sleep(10, controller.signal)).rejects.toThrow('enough');
    expect(clock.waiting).toBe(0);
  });

  it('forgets a cancelled timer', async () => {
    const clock = new ManualClock();
    clock.schedule(1, () => expect.unreachable()).cancel();
    await clock.advance(5);
    expect(clock.waiting).toBe(0);
  });

  it('lets the wall clock jump without moving monotonic time', () => {
    const clock = new ManualClock(1_000);
    clock.jumpWall(-600);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([400, 0]);
  });
});
