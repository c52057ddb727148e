/**
 * Wakes everybody who waits, once each time something happened. Waiters share one promise, so that a thousand of them
 * cost no more than one; they look at the state again themselves, so a wake-up too many does no harm.
 */
export class Broadcast {
  #next: PromiseWithResolvers<void> | undefined;

  wait(): Promise<void> {
    this.#next ??= Promise.withResolvers<void>();
    return this.#next.promise;
  }

  notify(): void {
    const waiting = this.#next;
    this.#next = undefined;
    waiting?.resolve();
  }
}
