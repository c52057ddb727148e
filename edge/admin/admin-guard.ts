import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import type { AdminAccess } from './admin-access.ts';
import { RequestError } from './api-error.ts';

/**
 * Stands before the API. With a token whoever shows it is let in. Without one only what a page of another site in a
 * browser on the same machine could send is refused: requests under another name (DNS rebinding), and requests that a
 * browser marks as coming from another site. A closed API says how to open it. Fails with RequestError.
 */
export function adminGuard(access: AdminAccess): MiddlewareHandler {
  const expected = access.kind === 'token' ? fingerprint(access.token) : undefined;
  return async (context, next) => {
    const header = (name: string): string | undefined => context.req.header(name);
    if (access.kind === 'closed') {
      throw new RequestError(
        'FORBIDDEN',
        'other machines reach this listener: set adminToken to use its API',
      );
    }
    if (expected === undefined) refuseOtherNames(header('host'));
    else if (!isShown(header('authorization'), expected)) {
      throw new RequestError('UNAUTHORIZED', 'this listener wants its admin token as a bearer token');
    }
    refuseOtherSites(header);
    await next();
  };
}

function fingerprint(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Compared by hash: in constant time, whatever the lengths. */
function isShown(authorization: string | undefined, expected: Buffer): boolean {
  const shown = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return shown !== undefined && timingSafeEqual(fingerprint(shown), expected);
}

/** A page that makes its own name point here sends that name: addresses and `localhost` can't be made to point elsewhere. */
function refuseOtherNames(host: string | undefined): void {
  const name = (host ?? '').toLowerCase().replace(/:\d{1,5}$/, '');
  const address = name.replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || isIP(address) !== 0) return;
  throw new RequestError('FORBIDDEN', 'ask for this listener by its address or as localhost');
}

/** Fetch Metadata says where a request comes from; browsers without it send `Origin` with what changes something. */
function refuseOtherSites(header: (name: string) => string | undefined): void {
  const site = header('sec-fetch-site');
  const origin = header('origin');
  const isOwn = origin === undefined || URL.parse(origin)?.host === header('host')?.toLowerCase();
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none')) return;
  throw new RequestError('FORBIDDEN', 'pages of other sites may not use this listener');
}
