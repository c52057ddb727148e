import type { CachedUpstream } from '../src/cache/cached-upstream.ts';
import type { PublicAccess } from '../src/cache/public-access.ts';

/** One upstream as a listener sees it. */
export interface EdgeUpstream {
  readonly cached: CachedUpstream;
  /**
   * Set where the upstream is used with a credential and only what anybody may pull is served: the listener asks it
   * before each answer. Unset where everything that can be reached is served.
   */
  readonly publicAccess: PublicAccess | undefined;
}
