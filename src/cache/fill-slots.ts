import { Limiter } from '../base/limiter.ts';

export interface FillSlotsOptions {
  /** Fills at a time, all upstreams together. */
  readonly maxFills: number;
  readonly maxQueued: number;
  /** Fills at a time of one upstream. */
  readonly maxFillsOf: (upstream: string) => number;
}

/** Bounds running fills, of each upstream and of all: a fill waits for a place of its upstream first, so that a slow one holds none of the others'. */
export class FillSlots {
  readonly #options: FillSlotsOptions;
  readonly #all: Limiter;
  readonly #byUpstream = new Map<string, Limiter>();

  constructor(options: FillSlotsOptions) {
    this.#options = options;
    const { maxFills, maxQueued } = options;
    this.#all = new Limiter({ name: 'fills', concurrency: maxFills, maxQueued });
  }

  /** Fails with OverloadedError when too many wait already, or with the signal's reason while waiting. */
  async run<T>(upstream: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#of(upstream).run(async () => this.#all.run(work, signal), signal);
  }

  #of(upstream: string): Limiter {
    let limiter = this.#byUpstream.get(upstream);
    if (limiter === undefined) {
      const { maxFillsOf, maxQueued } = this.#options;
      limiter = new Limiter({ name: `fills from ${upstream}`, concurrency: maxFillsOf(upstream), maxQueued });
      this.#byUpstream.set(upstream, limiter);
    }
    return limiter;
  }
}
