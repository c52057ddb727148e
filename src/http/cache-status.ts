/** How a cache came by its answer, in the terms of RFC 9211. */
export type CacheStatus =
  | { readonly kind: 'hit'; readonly ttlSeconds?: number; readonly detail?: string }
  | {
      readonly kind: 'forward';
      /** Why the request could not be answered from what was here (RFC 9211, section 2.2). */
      readonly reason: 'bypass' | 'method' | 'uri-miss' | 'miss' | 'request' | 'stale' | 'partial';
      /** What the next hop answered. */
      readonly status?: number;
      /** The answer was kept for the next one who asks. */
      readonly stored?: boolean;
      /** This request waited for one that was under way already. */
      readonly collapsed?: boolean;
      readonly detail?: string;
    };

/** RFC 9651, section 3.3.4. */
const token = /^[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*$/;

/** The value of `Cache-Status`, such as `wherry; fwd=miss; stored; detail=peer`. */
export function formatCacheStatus(status: CacheStatus): string {
  const members = ['wherry'];
  if (status.kind === 'hit') {
    members.push('hit');
    if (status.ttlSeconds !== undefined) members.push(`ttl=${Math.trunc(status.ttlSeconds)}`);
  } else {
    members.push(`fwd=${status.reason}`);
    if (status.status !== undefined) members.push(`fwd-status=${status.status}`);
    if (status.stored === true) members.push('stored');
    if (status.collapsed === true) members.push('collapsed');
  }
  if (status.detail !== undefined) members.push(`detail=${formatDetail(status.detail)}`);
  return members.join('; ');
}

/** A token where the text is one, else a string, which can carry printable ASCII only (RFC 9651, section 3.3.3). */
function formatDetail(text: string): string {
  if (token.test(text)) return text;
  const printable = text.replaceAll(/[^\u0020-\u007e]/g, '?');
  return `"${printable.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
