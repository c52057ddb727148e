/** `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3), as a wait from now; `undefined` when absent or unreadable. */
export function parseRetryAfterMs(
  field: string | undefined,
  options: { readonly nowMs: number; readonly maxMs: number },
): number | undefined {
  if (field === undefined) return undefined;
  const text = field.trim();
  const waitMs = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - options.nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(options.maxMs, Math.max(0, waitMs));
}
