import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Logger } from '../../src/base/logger.ts';
import { OverloadedError } from '../../src/base/limiter.ts';
import { StorageError, StorageFullError } from '../../src/base/storage-error.ts';
import { OciError } from '../../src/oci/error.ts';
import type { ApiError } from '../../src/protocol/admin-api.ts';
import { UpstreamError } from '../../src/upstream/upstream-error.ts';

export type RequestErrorCode =
  | 'INVALID'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'TOO_LARGE';

const statuses: Readonly<Record<RequestErrorCode, ContentfulStatusCode>> = {
  INVALID: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  TOO_LARGE: 413,
};

/** The caller's fault; the message is for the caller. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Answers what a call of the API failed with. */
export function answerError(context: Context, error: unknown, logger: Logger): Response {
  if (error instanceof RequestError) {
    if (error.code === 'UNAUTHORIZED') context.header('WWW-Authenticate', 'Bearer realm="wherry admin"');
    return context.json(errorBody(error), statuses[error.code]);
  }
  const body = errorBody(error);
  if (error instanceof UpstreamError || error instanceof OciError) {
    const isVerdict = body.error.code === 'absent' || body.error.code === 'denied';
    return context.json(body, isVerdict ? 404 : 502);
  }
  logger.error('a call of the admin API failed', { path: context.req.path, error });
  const isStorage = error instanceof StorageError || error instanceof StorageFullError;
  return context.json(body, isStorage || error instanceof OverloadedError ? 503 : 500);
}

const maxCauses = 5;

/** The code, and the messages of the error and of what caused it; of an error that nobody foresaw no more than that. */
export function errorBody(error: unknown): ApiError {
  if (error instanceof OciError && error.cause instanceof UpstreamError) return errorBody(error.cause);
  if (error instanceof UpstreamError) return { error: { code: error.kind, message: sentence(error) } };
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return { error: { code: error.code, message: sentence(error) } };
  }
  return { error: { code: 'INTERNAL', message: 'internal error; the log of the edge says more' } };
}

/** `GET https://host/v2/: no connection in time: ...` */
export function sentence(error: Error): string {
  const messages: string[] = [];
  for (let at: unknown = error; at instanceof Error && messages.length < maxCauses; at = at.cause) {
    const detail =
      at instanceof OciError && at.detail !== undefined
        ? `${at.message} ${JSON.stringify(at.detail)}`
        : at.message;
    if (detail !== '' && !messages.some((message) => message.includes(detail))) messages.push(detail);
  }
  return messages.join(': ');
}
