/** How an answer came about, in the terms of RFC 9211 (Cache-Status). */
export type CacheOutcome =
  | { readonly kind: 'hit' }
  | {
      readonly kind: 'forward';
      /** `miss`: it was not here; `stale`: it was, and the upstream had to be asked. */
      readonly reason: 'miss' | 'stale';
      /** The content was or is being stored. */
      readonly stored: boolean;
      /** The request joined another one's. */
      readonly collapsed: boolean;
    }
  /** Served past its freshness because the upstream could not be asked. */
  | {
      readonly kind: 'stale';
      /** Since it was last confirmed. */
      readonly ageMs: number;
      /** Since it stopped being fresh. */
      readonly overdueMs: number;
      readonly detail: string;
    }
  /** Brought through without being stored. */
  | { readonly kind: 'pass-through' };

export const hit: CacheOutcome = { kind: 'hit' };
