import assert from 'node:assert/strict';

/** What has to hold of the medians. A ratio is ours divided by theirs, a difference ours less theirs. */
export interface Bar {
  readonly kind: 'ratio-at-least' | 'ratio-at-most' | 'difference-at-most' | 'at-most';
  readonly limit: number;
}

/** One row of the result: a figure of ours for each round, beside that of one peer in the same round. */
export interface Comparison {
  readonly what: string;
  readonly unit: 'req/s' | 'MB/s' | 's' | 'ms' | 'MB' | 'GETs' | 'x';
  readonly ours: readonly number[];
  readonly peer: { readonly name: string; readonly values: readonly number[] } | undefined;
  /** `undefined` where the row is there for orientation. */
  readonly bar: Bar | undefined;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  assert(values.length > 0);
  const sorted = [...values].sort((one, other) => one - other);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
  return {
    min: at(0),
    median: (at(0.5) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2,
    max: at(1),
  };
}

/** Round by round, so that what disturbed a round disturbed both sides; `undefined` without a peer. */
export function ratios({ ours, peer }: Comparison): Spread | undefined {
  if (peer === undefined) return undefined;
  assert.equal(ours.length, peer.values.length);
  return spread(ours.map((value, round) => value / (peer.values[round] ?? Number.NaN)));
}

export function isMet(comparison: Comparison): boolean | undefined {
  const { bar, ours, peer } = comparison;
  switch (bar?.kind) {
    case undefined:
      return undefined;
    case 'at-most':
      return spread(ours).median <= bar.limit;
    case 'difference-at-most':
      return spread(ours.map((value, round) => value - (peer?.values[round] ?? 0))).median <= bar.limit;
    case 'ratio-at-least':
      return (ratios(comparison)?.median ?? 0) >= bar.limit;
    case 'ratio-at-most':
      return (ratios(comparison)?.median ?? Number.POSITIVE_INFINITY) <= bar.limit;
  }
}
