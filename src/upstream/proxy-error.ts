import type { EgressProxy } from './egress-route.ts';

/** What went wrong with a proxy on the way to an upstream: an outage, which says nothing about the upstream. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code = 'PROXY_FAILED';

  constructor(proxy: EgressProxy, why: string, options: { readonly cause?: unknown } = {}) {
    super(`the proxy ${proxy.url.origin} ${why}`, options);
  }
}

/** What a status means that a proxy gave in place of a tunnel. */
export function refusedByProxy(proxy: EgressProxy, status: number): ProxyError {
  return new ProxyError(proxy, refusals[status] ?? `opened no tunnel: status ${status}`);
}

export const proxyAuthenticationRequired = 407;

const refusals: Readonly<Record<number, string>> = {
  [proxyAuthenticationRequired]:
    'wants another sign-in (status 407): check the user name and the password for the proxy',
  403: 'does not allow this address (status 403)',
  405: 'does not tunnel (status 405): it must allow CONNECT',
  502: 'could not reach the address (status 502)',
  503: 'could not reach the address (status 503)',
  504: 'could not reach the address in time (status 504)',
};
