import type { UsageTotals } from './cache-index.ts';

export interface BudgetLimits {
  /** What the cache may take on disk, unfinished blobs included. */
  readonly maxBytes: number;
  /** Share of a limit, 0 to 1, above which room is made. */
  readonly highWatermark: number;
  /** Share of the limit down to which room is made. */
  readonly lowWatermark: number;
  /** Upstreams with a limit of their own, by name. */
  readonly quotaBytes: ReadonlyMap<string, number>;
}

export interface BudgetUse {
  readonly totals: UsageTotals;
  /** Unfinished blobs, held or left behind; no upstream's quota. */
  readonly partialBytes: number;
  /** What is about to come. */
  readonly incomingBytes: number;
}

/** How many bytes are to go. Quotas first: what they free counts towards the whole. */
export interface EvictionPlan {
  readonly quotas: ReadonlyMap<string, number>;
  readonly totalBytes: number;
}

/**
 * Above a high watermark everything down to the low one goes, so that room is made seldom and for many blobs at once.
 * The watermarks hold for the whole and for each quota.
 */
export function planEviction(limits: BudgetLimits, use: BudgetUse): EvictionPlan {
  const quotas = new Map<string, number>();
  for (const [upstream, quotaBytes] of limits.quotaBytes) {
    const excess = excessBytes(limits, quotaBytes, use.totals.bytesByUpstream.get(upstream) ?? 0);
    if (excess > 0) quotas.set(upstream, excess);
  }
  const usedBytes = use.totals.bytes + use.partialBytes + use.incomingBytes;
  return { quotas, totalBytes: excessBytes(limits, limits.maxBytes, usedBytes) };
}

function excessBytes(limits: BudgetLimits, limitBytes: number, usedBytes: number): number {
  if (usedBytes <= limitBytes * limits.highWatermark) return 0;
  return Math.ceil(usedBytes - limitBytes * limits.lowWatermark);
}

/**
 * Whether a blob may be stored at all. One that takes more than a low watermark leaves would push out everything else
 * and then itself: it is passed through.
 */
export function admitBlob(
  limits: BudgetLimits,
  blob: { readonly size: number; readonly upstream: string },
): 'store' | 'too-large' {
  const quotaBytes = limits.quotaBytes.get(blob.upstream) ?? limits.maxBytes;
  const limitBytes = Math.min(quotaBytes, limits.maxBytes) * limits.lowWatermark;
  return blob.size <= limitBytes ? 'store' : 'too-large';
}
