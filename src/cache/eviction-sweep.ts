import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { BlobEntry, BlobSweeper } from '../blob/blob-store.ts';
import type { Digest } from '../oci/digest.ts';
import type { UsageEntry, UsageIndex } from './cache-index.ts';

/**
 * Why content went: its upstream's quota, nothing names it, the whole cache's limit, a disk that is full before that
 * limit, or (unfinished blobs) nobody came back for it.
 */
export type EvictionReason = 'quota' | 'orphan' | 'budget' | 'disk-full' | 'expired';

export interface EvictionSweepOptions {
  readonly blobs: BlobSweeper;
  readonly index: UsageIndex;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Content that is being filled or read: left alone. */
  readonly isBusy: (digest: Digest) => boolean;
  readonly onEvicted: (upstream: string, bytes: number, reason: EvictionReason) => void;
  /** Ends the sweep between two blobs. */
  readonly signal: AbortSignal;
}

/** Blobs asked of the index at a time; a turn of the event loop passes between two batches. */
const batchSize = 32;

/** Blobs that could not be removed in one sweep: beyond it something is wrong, and the next sweep tries again. */
const maxPassedOver = 5_000;

/** One run through the cache that removes what was used longest ago, and remembers what it had to leave. */
export class EvictionSweep {
  readonly #options: EvictionSweepOptions;
  readonly #passedOver = new Set<Digest>();
  #freedBytes = 0;

  constructor(options: EvictionSweepOptions) {
    this.#options = options;
  }

  /** In all, since the sweep began. */
  get freedBytes(): number {
    return this.#freedBytes;
  }

  /** Removes blobs, of one upstream or of all, until `bytes` are free or nothing is left that may go. */
  async evict(bytes: number, reason: EvictionReason, upstream?: string): Promise<void> {
    const { index, clock, signal } = this.#options;
    const goalBytes = this.#freedBytes + bytes;
    const only = upstream === undefined ? {} : { upstream };
    while (this.#freedBytes < goalBytes && !signal.aborted && this.#passedOver.size < maxPassedOver) {
      const oldest = index.oldest({
        ...only,
        limit: batchSize + this.#passedOver.size,
        nowMs: clock.nowMs(),
      });
      const batch = oldest.filter(({ digest }) => !this.#passedOver.has(digest));
      if (batch.length === 0) return;
      for (const entry of batch) {
        if (this.#freedBytes >= goalBytes || signal.aborted) return;
        await this.#remove(entry, reason);
      }
      await turn();
    }
  }

  /** Removes unfinished blobs, those left longest ago first, until `bytes` are free. */
  async evictPartials(partials: readonly BlobEntry[], bytes: number, reason: EvictionReason): Promise<void> {
    const { blobs, isBusy, onEvicted, signal } = this.#options;
    const goalBytes = this.#freedBytes + bytes;
    for (const { digest, size } of partials.toSorted((a, b) => a.usedAtMs - b.usedAtMs)) {
      if (this.#freedBytes >= goalBytes || signal.aborted) return;
      if (isBusy(digest) || !(await this.#tried(digest, () => blobs.removePartial(digest)))) continue;
      this.#freedBytes += size;
      onEvicted('', size, reason);
    }
  }

  /**
   * The bytes go first, then what is known of them: a crash in between leaves an entry that the next sweep clears, and
   * not bytes that nobody counts. On a full disk it also gives the index the room to write.
   */
  async #remove({ digest, size, upstream }: UsageEntry, reason: EvictionReason): Promise<void> {
    const { blobs, index, isBusy, onEvicted } = this.#options;
    if (isBusy(digest) || !(await this.#tried(digest, () => blobs.remove(digest)))) {
      this.#passedOver.add(digest);
      return;
    }
    const blobsBefore = index.totals().blobs;
    index.forget(digest);
    // An index that could not write yet goes on naming what is gone.
    if (index.totals().blobs === blobsBefore) this.#passedOver.add(digest);
    this.#freedBytes += size;
    onEvicted(upstream, size, reason);
  }

  async #tried(digest: Digest, remove: () => Promise<void>): Promise<boolean> {
    try {
      await remove();
      return true;
    } catch (error) {
      this.#options.logger.warn('a blob could not be evicted', { digest, error });
      return false;
    }
  }
}
