const claimsLimit = 64 * 1024;

/**
 * The `exp` of a JWT (RFC 7519, 4.1.4) in milliseconds since the epoch; `undefined` for what is no JWT or has none.
 * Whoever issued it to us is believed: the signature is not looked at.
 */
export function jwtExpiryMs(token: string): number | undefined {
  const [, claims, signature, ...rest] = token.split('.');
  if (claims === undefined || signature === undefined || rest.length > 0) return undefined;
  if (claims.length > claimsLimit) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('exp' in parsed)) return undefined;
    const { exp } = parsed;
    return typeof exp === 'number' && Number.isFinite(exp) && exp > 0 ? exp * 1000 : undefined;
  } catch {
    // An opaque token that has two dots in it.
    return undefined;
  }
}
