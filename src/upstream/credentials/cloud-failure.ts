import { quoteForeign } from '../redact.ts';
import { UpstreamError, type UpstreamErrorKind } from '../upstream-error.ts';

/** Where the libraries of the clouds keep the status of the answer that failed. */
interface CloudError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly statusCode?: unknown;
  readonly status?: unknown;
  readonly response?: { readonly status?: unknown };
  readonly errorCode?: unknown;
}

const throttlings = /throttl|too ?many ?requests|request ?limit/i;

/** RFC 6749, 5.2: what a token endpoint says of the client or its grant, where a library keeps no status. */
const grantRefusals = /^(?:invalid_client|invalid_grant|unauthorized_client|invalid_scope|access_denied)$/;

/**
 * What the failure of a cloud's sign-in means. The cloud's own service was asked: 4xx is its word on the credential, all
 * that was not answered, or could not be asked, says nothing about it.
 */
export function cloudFailure(error: unknown, what: string): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const failure: CloudError = error instanceof Error ? error : new Error(String(error));
  const status = statusOf(failure);
  const quote = quoteForeign(`${failure.name}: ${failure.message}`);
  return new UpstreamError(kindOf(failure, status), `${what}: ${quote}`, {
    ...(status === undefined ? {} : { status }),
    cause: error,
  });
}

function kindOf(error: CloudError, status: number | undefined): UpstreamErrorKind {
  if (status === 429 || throttlings.test(error.name)) return 'throttled';
  if (grantRefusals.test(String(error.errorCode))) return 'credential';
  return status === 400 || status === 401 || status === 403 ? 'credential' : 'unavailable';
}

function statusOf(error: CloudError): number | undefined {
  const places = [error.$metadata?.httpStatusCode, error.statusCode, error.status, error.response?.status];
  const status = places.map(Number).find((value) => value >= 100 && value <= 599);
  if (status !== undefined || !(error.cause instanceof Error)) return status;
  return statusOf(error.cause);
}
