import { PrivateAddressError } from './guarded-lookup.ts';
import { UpstreamError } from './upstream-error.ts';

/** Connections that the other side had closed already when they were used again. */
const resetCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

const sentences: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the body stalled',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the body ended before its announced length',
  HPE_INVALID_EOF_STATE: 'the body ended before its end mark',
  UND_ERR_SOCKET: 'the connection was closed by the other side',
};

/** Whether one more try on a fresh connection is likely to help. */
export function isStaleConnection(error: UpstreamError): boolean {
  return error.kind === 'unavailable' && resetCodes.has(errorCode(error.cause) ?? '');
}

/** `request` names the exchange: method and redacted URL. */
export function transportFailure(error: unknown, request: string, signal: AbortSignal): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (signal.aborted) return givenUp(request, signal.reason);
  if (error instanceof PrivateAddressError) {
    return new UpstreamError('malformed', `${request}: refused: ${error.message}`, { request, cause: error });
  }
  const code = errorCode(error);
  const why = sentences[code ?? ''] ?? (error instanceof Error ? error.message : 'failed');
  const isBadHttp = code !== undefined && /^HPE_(?!INVALID_EOF_STATE)|^UND_ERR_HEADERS_OVERFLOW$/.test(code);
  return new UpstreamError(isBadHttp ? 'malformed' : 'unavailable', `${request}: ${why}`, {
    request,
    cause: error,
  });
}

export function givenUp(request: string, reason: unknown): UpstreamError {
  return new UpstreamError('unavailable', `${request}: given up by the caller`, { request, cause: reason });
}

function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
