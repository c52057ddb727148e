import type { UsageTotals } from './cache-index.ts';

/** Running totals of an index, so that asking for them costs nothing. */
export class UsageTally implements UsageTotals {
  readonly bytesByUpstream = new Map<string, number>();
  #blobs = 0;
  #bytes = 0;

  get blobs(): number {
    return this.#blobs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts `blobs` entries of `bytes` in all; both are negative for what went. */
  add(upstream: string, blobs: number, bytes: number): void {
    this.#blobs += blobs;
    this.#bytes += bytes;
    const sum = (this.bytesByUpstream.get(upstream) ?? 0) + bytes;
    if (sum === 0) this.bytesByUpstream.delete(upstream);
    else this.bytesByUpstream.set(upstream, sum);
  }
}
