import { namesPrivateHost } from './private-address.ts';
import { redactUrl } from './redact.ts';
import { UpstreamError } from './upstream-error.ts';

/** More than any registry and its object store need. */
export const maxRedirects = 5;

/** 300, 304, 305 and 306 are no redirects that a client follows by itself (RFC 9110, 15.4). */
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect(status: number): boolean {
  return redirectStatuses.has(status);
}

/** Scheme, host and port: what a credential is bound to. */
export function isSameOrigin(one: URL, other: URL): boolean {
  return one.protocol === other.protocol && one.host === other.host;
}

/**
 * Where an answer sends the caller next. Fails with UpstreamError `malformed` when the place is missing, is not HTTP,
 * leaves TLS, carries a user, or is a private address that nobody allowed. Names are judged when they are connected to.
 */
export function redirectTarget(from: URL, location: string | undefined, allowPrivate: boolean): URL {
  const request = redactUrl(from);
  const refuse = (why: string): UpstreamError =>
    new UpstreamError('malformed', `${request}: redirect refused: ${why}`, { request });
  if (location === undefined) throw refuse('it names no place');
  const target = URL.parse(location, from.href);
  if (target === null) throw refuse('its place is no URL');
  if (target.protocol !== 'https:' && target.protocol !== 'http:') {
    throw refuse(`${target.protocol} is not a scheme to follow`);
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw refuse(`it leads from https to http (${target.origin})`);
  }
  if (target.username !== '' || target.password !== '') {
    throw refuse('its place carries a user');
  }
  if (!allowPrivate && namesPrivateHost(target)) {
    throw refuse(`${target.origin} is a private address (see allowPrivateTargets)`);
  }
  return target;
}
