import { getDomain } from 'tldts';
import { literalAddress, namesPrivateHost } from './private-address.ts';
import { isSameOrigin } from './redirect-policy.ts';

export interface RealmRules {
  /** The upstream's own address. */
  readonly upstream: URL;
  /** Origins, such as `https://auth.example.com:8443`, that the administrator trusts with this upstream's credentials. */
  readonly trustedRealms: readonly string[];
  /** Whether the realm may lie on a private address. */
  readonly allowPrivate: boolean;
}

/** `refused`: not to be called at all. Otherwise `withCredential` says whether a secret may be sent there. */
export type RealmVerdict =
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'allowed'; readonly url: URL; readonly withCredential: boolean };

/**
 * Judges the token endpoint that a challenge names. The challenge is written by whoever answers for the upstream, so a
 * credential goes to a realm of the upstream's own owner only: the same host and port, the same registrable domain
 * (Public Suffix List, private part included), or a place that the administrator named. CVE-2026-33540 is what happens
 * without.
 */
export function judgeRealm(realm: string, rules: RealmRules): RealmVerdict {
  const url = URL.parse(realm);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return { kind: 'refused', why: 'it is no http or https URL' };
  }
  if (url.username !== '' || url.password !== '') return { kind: 'refused', why: 'it carries a user' };
  if (url.protocol === 'http:' && rules.upstream.protocol === 'https:') {
    return { kind: 'refused', why: 'it leads from https to http' };
  }
  const trusted = rules.trustedRealms.some((origin) => URL.parse(origin)?.origin === url.origin);
  const sameOrigin = isSameOrigin(url, rules.upstream);
  if (!trusted && !sameOrigin && !rules.allowPrivate && namesPrivateHost(url)) {
    return { kind: 'refused', why: 'it is a private address (see allowPrivateTargets)' };
  }
  url.hash = '';
  const withCredential = trusted || sameOrigin || isSameOwner(url, rules.upstream);
  return { kind: 'allowed', url, withCredential };
}

/** Another port of the same host may be anybody's; one of another host is fine where it is the upstream's own or the default. */
function isSameOwner(realm: URL, upstream: URL): boolean {
  if (literalAddress(realm) !== undefined || literalAddress(upstream) !== undefined) return false;
  if (realm.hostname === upstream.hostname) return false;
  if (realm.port !== '' && realm.port !== upstream.port) return false;
  const domain = getDomain(upstream.hostname, { allowPrivateDomains: true });
  return domain !== null && domain === getDomain(realm.hostname, { allowPrivateDomains: true });
}
