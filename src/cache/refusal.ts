import { OciError, type OciErrorCode } from '../oci/error.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';

/** Seconds after which a client may try an upstream again that is away, where it does not say so itself. */
const retryAfterSeconds = 5;

/**
 * What an upstream's failure means to our client. A verdict is 404 with `unknown`, also where the upstream said that
 * the edge may not read it: the client goes on to its next registry, with its own credentials. An outage is 503, so
 * that the client goes on too and nobody takes it for a statement about the content. Other errors pass unchanged.
 */
export function refusalOf(error: unknown, unknown: OciErrorCode): unknown {
  if (!(error instanceof UpstreamError)) return error;
  if (error.isVerdict) return new OciError(unknown, { cause: error, detail: { upstream: error.kind } });
  return new OciError('UNAVAILABLE', {
    cause: error,
    detail: { upstream: error.kind },
    headers: { 'Retry-After': String(Math.ceil((error.retryAfterMs ?? retryAfterSeconds * 1000) / 1000)) },
  });
}
