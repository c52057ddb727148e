/**
 * Who may call the admin API: whoever shows the token; anybody on this machine; or nobody, where the listener is open to
 * other machines and no token is set. The status page, health and metrics are open to all who reach the listener.
 */
export type AdminAccess =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'loopback' }
  | { readonly kind: 'closed' };

export function adminAccess(token: string | undefined, listenHost: string): AdminAccess {
  if (token !== undefined) return { kind: 'token', token };
  return { kind: isLoopback(listenHost) ? 'loopback' : 'closed' };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
