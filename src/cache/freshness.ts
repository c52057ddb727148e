import type { TagRecord } from '../tag/tag-store.ts';

/** How long an answer about a tag may be used without asking again. All in milliseconds. */
export interface FreshnessRule {
  readonly freshMs: number;
  /** After `freshMs`: answered at once from here while the upstream is asked behind the client's back. */
  readonly staleWhileRevalidateMs: number;
  /** After `freshMs`, while the upstream cannot be asked. */
  readonly staleIfErrorMs: number;
  /** For how long "there is no such thing" is believed. */
  readonly negativeMs: number;
}

export type Freshness = 'fresh' | 'revalidate-behind' | 'revalidate';

/** A clock that was set back makes a record look younger than new: it has no age then. */
export function ageMs(record: Pick<TagRecord, 'checkedAtMs'>, nowMs: number): number {
  return Math.max(0, nowMs - record.checkedAtMs);
}

/** What was confirmed in the future is asked again: a clock that ran years ahead must not make it fresh for years. */
export function freshnessOf(
  record: Pick<TagRecord, 'checkedAtMs'>,
  rule: FreshnessRule,
  nowMs: number,
): Freshness {
  if (record.checkedAtMs > nowMs) return 'revalidate';
  const age = ageMs(record, nowMs);
  if (age < rule.freshMs) return 'fresh';
  return age < rule.freshMs + rule.staleWhileRevalidateMs ? 'revalidate-behind' : 'revalidate';
}

export function mayServeOnError(
  record: Pick<TagRecord, 'checkedAtMs'>,
  rule: FreshnessRule,
  nowMs: number,
): boolean {
  return ageMs(record, nowMs) < rule.freshMs + rule.staleIfErrorMs;
}
