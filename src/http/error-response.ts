import { OverloadedError } from '../base/limiter.ts';
import type { Logger } from '../base/logger.ts';
import { StorageFullError } from '../base/storage-error.ts';
import { OciError } from '../oci/error.ts';
import type { RegistryAnswer } from './registry-service.ts';

/** Long enough for a queue to move, short enough that a pull in progress is not given up. */
const retryAfterSeconds = 5;

export interface FailedRequest {
  readonly requestId: string;
  readonly logger: Logger;
}

/**
 * The one place where errors become HTTP. An OciError is answered as it is; having no room or no turn is 503; anything
 * else is our own fault: 500, told to the log in full and to the client by its request id alone.
 */
export function errorResponse(error: unknown, failed: FailedRequest): RegistryAnswer {
  if (error instanceof OciError) return formatError(error);
  if (error instanceof OverloadedError || error instanceof StorageFullError) {
    failed.logger.warn('request turned away', { requestId: failed.requestId, error });
    return formatError(
      new OciError('UNAVAILABLE', { headers: { 'Retry-After': String(retryAfterSeconds) }, cause: error }),
    );
  }
  failed.logger.error('request failed', { requestId: failed.requestId, error });
  return formatError(new OciError('UNKNOWN', { detail: { requestId: failed.requestId }, cause: error }));
}

function formatError(error: OciError): RegistryAnswer {
  return {
    status: error.status,
    headers: { ...error.headers, 'Content-Type': 'application/json' },
    body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify(error)) },
    log: { errorCode: error.code },
  };
}
