import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/** Something that runs for the life of the process. */
export interface Component {
  /** For the log. */
  readonly name: string;
  start?(): Promise<void> | void;
  /** Aborts `hurry` when the time for stopping is over: end at once then, finished or not. */
  stop?(hurry: AbortSignal): Promise<void> | void;
}

export interface LifecycleOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long those that started get to stop when a later one fails to start. */
  readonly abandonAfterMs: number;
}

/** Starts components in the order in which they were added, and stops them in reverse. */
export class Lifecycle {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #abandonAfterMs: number;
  readonly #components: Component[] = [];
  readonly #started: Component[] = [];
  #starting: Promise<void> | undefined;
  #stopping: Promise<readonly Error[]> | undefined;

  constructor(options: LifecycleOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#abandonAfterMs = options.abandonAfterMs;
  }

  add(component: Component): void {
    this.#components.push(component);
  }

  /** Fails with the error of the first component that does; those before it have been stopped by then. */
  async start(): Promise<void> {
    this.#starting ??= this.#startAll();
    try {
      await this.#starting;
    } catch (error) {
      await this.stop(this.#abandonAfterMs);
      throw error;
    }
  }

  /**
   * Stops all that started, within `deadlineMs` from now for all of them together. A component that fails or is late is
   * logged and left behind, and the next one is told to stop. Resolves with what went wrong; never rejects.
   */
  async stop(deadlineMs: number): Promise<readonly Error[]> {
    this.#stopping ??= this.#stopAll(deadlineMs);
    return this.#stopping;
  }

  async #startAll(): Promise<void> {
    for (const component of this.#components) {
      if (this.#stopping !== undefined) throw new Error('stopped while starting');
      await component.start?.();
      this.#started.push(component);
      this.#logger.debug('component started', { component: component.name });
    }
  }

  async #stopAll(deadlineMs: number): Promise<readonly Error[]> {
    const hurry = new AbortController();
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.schedule(deadlineMs, () => {
      hurry.abort(new Error('the time for stopping is over'));
      late.resolve();
    });
    // `start` reports its own failure; here only its end matters, so that nothing starts behind our back.
    const startEnded = this.#starting?.catch(() => undefined);
    await Promise.race([startEnded, late.promise]);

    const errors: Error[] = [];
    for (const component of this.#started.toReversed()) {
      const error = await this.#stopOne(component, hurry.signal, late.promise);
      if (error === undefined) continue;
      errors.push(error);
      this.#logger.error('component did not stop cleanly', { component: component.name, error });
    }
    timer.cancel();
    return errors;
  }

  async #stopOne(component: Component, hurry: AbortSignal, late: Promise<void>): Promise<Error | undefined> {
    const stopped = (async (): Promise<Error | undefined> => {
      try {
        await component.stop?.(hurry);
        return undefined;
      } catch (error) {
        return error instanceof Error ? error : new Error(`${component.name} failed`, { cause: error });
      }
    })();
    const tooLate = (async (): Promise<Error> => {
      await late;
      // One turn for the component to heed the abort.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      return new Error(`${component.name} was still stopping at the deadline`);
    })();
    return Promise.race([stopped, tooLate]);
  }
}
