import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Counter, Family, Gauge, Metrics } from '../base/metrics.ts';
import type { BlobEntry, BlobSweeper } from '../blob/blob-store.ts';
import type { Digest } from '../oci/digest.ts';
import { planEviction, type BudgetLimits, type EvictionPlan } from './budget.ts';
import type { UsageIndex } from './cache-index.ts';
import { EvictionSweep, type EvictionReason } from './eviction-sweep.ts';

export interface EvictorOptions {
  readonly blobs: BlobSweeper;
  readonly index: UsageIndex;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: BudgetLimits;
  readonly sweepIntervalMs: number;
  /** Age after which an unfinished blob that nobody continues is thrown away. */
  readonly partialLifetimeMs: number;
  /** Content that is being filled or read: left alone. */
  readonly isBusy: (digest: Digest) => boolean;
  /** What the running fills take in the end; their partials are held and can not be listed. */
  readonly fillBytes: () => number;
}

export interface Room {
  readonly freedBytes: number;
  /** Whether what was asked for is there: the limit holds with the bytes to come, or so many were freed. */
  readonly fits: boolean;
}

interface Demand {
  readonly incomingBytes: number;
  readonly atLeastBytes: number;
  /** Look at the partials even if there is room. */
  readonly thorough: boolean;
}

/** Partials looked at in one sweep. */
const maxPartials = 10_000;

/**
 * Keeps the cache within its budget: what was used longest ago goes first, upstreams above their quota before the
 * others, unfinished blobs last. One sweep runs at a time; demands that come meanwhile share the next one.
 */
export class Evictor {
  readonly #options: EvictorOptions;
  readonly #evictions: Family<Counter>;
  readonly #evictedBytes: Counter;
  readonly #cacheBytes: Family<Gauge>;
  readonly #cacheBlobs: Gauge;
  readonly #shownUpstreams = new Set<string>();
  readonly #stopping = new AbortController();
  #partialBytes = 0;
  #running: Promise<unknown> = Promise.resolve();
  #waiting: { demand: Demand; readonly room: Promise<Room> } | undefined;
  #timer: { cancel(): void } | undefined;

  constructor(options: EvictorOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#evictions = metrics.counter({
      name: 'wherry_cache_evictions_total',
      help: 'Blobs and partials removed to make room.',
      labels: ['upstream', 'reason'],
    });
    this.#evictedBytes = metrics
      .counter({ name: 'wherry_cache_evicted_bytes_total', help: 'Bytes removed to make room.' })
      .with();
    this.#cacheBytes = metrics.gauge({
      name: 'wherry_cache_bytes',
      help: 'Bytes of the blobs in the cache, by the upstream they count against.',
      labels: ['upstream'],
    });
    this.#cacheBlobs = metrics.gauge({ name: 'wherry_cache_blobs', help: 'Blobs in the cache.' }).with();
  }

  /** Sweeps now and at each interval until `stop`. */
  start(): void {
    const sweep = this.#demand({ incomingBytes: 0, atLeastBytes: 0, thorough: true });
    sweep.catch((error: unknown) => this.#options.logger.error('a sweep of the cache failed', { error }));
    this.#timer = this.#options.clock.schedule(this.#options.sweepIntervalMs, () => this.start());
  }

  /** Resolves when no sweep runs any more. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#stopping.abort();
    await this.#running;
  }

  /**
   * Frees down to the low watermarks if `bytes` more would exceed a high one: before a fill with its size, after a
   * commit with 0. `signal` ends the wait with its reason, not the sweep.
   */
  async makeRoom(bytes: number, signal?: AbortSignal): Promise<Room> {
    signal?.throwIfAborted();
    return leaveOnAbort(this.#demand({ incomingBytes: bytes, atLeastBytes: 0, thorough: false }), signal);
  }

  /** Frees `bytes` whatever the budget says: for a disk that is full before the budget is used. */
  async freeAtLeast(bytes: number, signal?: AbortSignal): Promise<Room> {
    signal?.throwIfAborted();
    return leaveOnAbort(this.#demand({ incomingBytes: 0, atLeastBytes: bytes, thorough: false }), signal);
  }

  // Not async: whoever waits for one sweep gets the one promise.
  // oxlint-disable-next-line typescript/promise-function-async
  #demand(demand: Demand): Promise<Room> {
    if (this.#waiting !== undefined) {
      const { demand: before } = this.#waiting;
      this.#waiting.demand = {
        incomingBytes: before.incomingBytes + demand.incomingBytes,
        atLeastBytes: before.atLeastBytes + demand.atLeastBytes,
        thorough: before.thorough || demand.thorough,
      };
      return this.#waiting.room;
    }
    const room = this.#running.then(async () => {
      const merged = this.#waiting?.demand ?? demand;
      this.#waiting = undefined;
      return this.#sweep(merged);
    });
    this.#waiting = { demand, room };
    // Whoever asked hears of a failure; the next sweep only waits for the end of this one.
    this.#running = room.catch(() => undefined);
    return room;
  }

  async #sweep(demand: Demand): Promise<Room> {
    let plan = this.#plan(demand);
    const urgent = demand.atLeastBytes > 0 || plan.totalBytes > 0 || plan.quotas.size > 0;
    const sweep = new EvictionSweep({
      ...this.#options,
      onEvicted: (upstream, bytes, reason) => this.#count(upstream, bytes, reason),
      signal: this.#stopping.signal,
    });
    if (urgent || demand.thorough) {
      const partials = await this.#sweepPartials(sweep);
      plan = this.#plan(demand);
      await this.#carryOut(sweep, { plan, demand, partials });
    }
    this.#show();
    const { fits } = this.#outcome(demand, plan, sweep.freedBytes);
    return { freedBytes: sweep.freedBytes, fits };
  }

  async #carryOut(
    sweep: EvictionSweep,
    order: { readonly plan: EvictionPlan; readonly demand: Demand; readonly partials: readonly BlobEntry[] },
  ): Promise<void> {
    const { plan, demand, partials } = order;
    const goalBytes = sweep.freedBytes + plan.totalBytes;
    const neededBytes = (): number =>
      Math.max(goalBytes - sweep.freedBytes, demand.atLeastBytes - sweep.freedBytes);
    const reason = plan.totalBytes > 0 ? 'budget' : 'disk-full';
    for (const [upstream, bytes] of plan.quotas) await sweep.evict(bytes, 'quota', upstream);
    await sweep.evict(neededBytes(), 'orphan', '');
    await sweep.evict(neededBytes(), reason);
    const freedBefore = sweep.freedBytes;
    await sweep.evictPartials(partials, neededBytes(), reason);
    this.#partialBytes = Math.max(0, this.#partialBytes - (sweep.freedBytes - freedBefore));
  }

  #plan(demand: Demand): EvictionPlan {
    const { index, limits, fillBytes } = this.#options;
    return planEviction(limits, {
      totals: index.totals(),
      partialBytes: this.#partialBytes + fillBytes(),
      incomingBytes: demand.incomingBytes,
    });
  }

  #outcome(demand: Demand, plan: EvictionPlan, freedBytes: number): { readonly fits: boolean } {
    const { maxBytes, lowWatermark } = this.#options.limits;
    // What the plan asks for leads to the low watermark; between that and the limit there is room all the same.
    const spareBytes = maxBytes - maxBytes * lowWatermark;
    const enough = plan.totalBytes - freedBytes <= spareBytes;
    return { fits: enough && freedBytes >= demand.atLeastBytes };
  }

  /** Throws away the partials that are too old, and says which others nobody holds. */
  async #sweepPartials(sweep: EvictionSweep): Promise<readonly BlobEntry[]> {
    const { blobs, clock, isBusy, logger, partialLifetimeMs } = this.#options;
    const expired: BlobEntry[] = [];
    const idle: BlobEntry[] = [];
    const bornBeforeMs = clock.nowMs() - partialLifetimeMs;
    try {
      for await (const partial of blobs.listPartials()) {
        if (isBusy(partial.digest)) continue;
        (partial.usedAtMs < bornBeforeMs ? expired : idle).push(partial);
        if (expired.length + idle.length >= maxPartials) break;
      }
    } catch (error) {
      logger.warn('unfinished blobs could not be listed; sweeping without them', { error });
      return [];
    }
    await sweep.evictPartials(expired, Number.POSITIVE_INFINITY, 'expired');
    this.#partialBytes = idle.reduce((sum, { size }) => sum + size, 0);
    return idle;
  }

  #count(upstream: string, bytes: number, reason: EvictionReason): void {
    this.#evictions.with(upstream, reason).add();
    this.#evictedBytes.add(bytes);
  }

  #show(): void {
    const { blobs, bytesByUpstream } = this.#options.index.totals();
    this.#cacheBlobs.set(blobs);
    for (const upstream of bytesByUpstream.keys()) this.#shownUpstreams.add(upstream);
    for (const upstream of this.#shownUpstreams) {
      this.#cacheBytes.with(upstream).set(bytesByUpstream.get(upstream) ?? 0);
    }
  }
}

async function leaveOnAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
