import { isExempt, type NoProxyRule } from '../base/no-proxy.ts';
import { literalAddress } from './private-address.ts';

/** A forward proxy: it takes CONNECT (RFC 9110, 9.3.6) and requests in absolute form (RFC 9112, 3.2.2). */
export interface EgressProxy {
  /** Scheme, host and port; `https:` where the proxy itself is spoken to over TLS. */
  readonly url: URL;
  /** The value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
}

/** Which proxy leads to an `http:` or `https:` URL; `undefined` means that the connection is made directly. */
export type EgressRoute = (target: URL) => EgressProxy | undefined;

export const directRoute: EgressRoute = () => undefined;

/** Everything through one proxy, or everything past it. */
export function fixedRoute(proxy: EgressProxy | undefined): EgressRoute {
  return () => proxy;
}

export interface GeneralRoute {
  /** Leads to `https:` targets. */
  readonly https: EgressProxy | undefined;
  /** Leads to `http:` targets. */
  readonly http: EgressProxy | undefined;
  readonly noProxy: readonly NoProxyRule[];
}

/** By scheme, with exceptions. This machine's own loopback is one always: behind a proxy it would be the proxy's. */
export function generalRoute({ https, http, noProxy }: GeneralRoute): EgressRoute {
  return (target) => {
    if (isLoopback(target) || isExempt(noProxy, target)) return undefined;
    return target.protocol === 'https:' ? https : http;
  };
}

/** The value of `Proxy-Authorization` by the Basic scheme (RFC 7617), text in UTF-8. */
export function basicSignIn(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function isLoopback(url: URL): boolean {
  const address = literalAddress(url);
  if (address !== undefined) return address === '::1' || address.startsWith('127.');
  return /(?:^|\.)localhost\.?$/.test(url.hostname);
}
