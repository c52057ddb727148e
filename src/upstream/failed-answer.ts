import { quoteForeign, redactUrl } from './redact.ts';
import { readBody } from './bounded-body.ts';
import type { HttpAnswer } from './http-transport.ts';
import { parseRetryAfterMs } from './retry-after.ts';
import { UpstreamError, type UpstreamErrorKind } from './upstream-error.ts';

const maxErrorBodyBytes = 64 * 1024;

/** An hour: longer waits are a registry's mistake, and the breaker tries again at some time anyway. */
const maxRetryAfterMs = 3_600_000;

export interface FailedAnswerContext {
  readonly method: string;
  readonly nowMs: number;
  /** What the status means here, where that is not what it means in general. */
  readonly kind?: UpstreamErrorKind;
}

/** Makes an error of an answer that is no success; reads a little of its body to quote it. */
export async function failedAnswer(answer: HttpAnswer, context: FailedAnswerContext): Promise<UpstreamError> {
  const request = `${context.method} ${redactUrl(answer.url)}`;
  const { status } = answer;
  const kind = context.kind ?? kindOfStatus(status);
  const retryAfterMs =
    kind === 'throttled' || kind === 'unavailable'
      ? parseRetryAfterMs(answer.header('retry-after'), { nowMs: context.nowMs, maxMs: maxRetryAfterMs })
      : undefined;
  const quote = quoteForeign(await bodyText(answer));
  return new UpstreamError(kind, `${request}: status ${status}${quote === '' ? '' : `: ${quote}`}`, {
    request,
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

export function kindOfStatus(status: number): UpstreamErrorKind {
  if (status === 404 || status === 410) return 'absent';
  if (status === 401 || status === 403) return 'denied';
  if (status === 429) return 'throttled';
  if (status === 408 || status === 425 || status >= 500) return 'unavailable';
  return 'malformed';
}

/** The status is the message; a body that cannot be read adds nothing and takes nothing away. */
async function bodyText(answer: HttpAnswer): Promise<string> {
  try {
    const bytes = await readBody(answer, maxErrorBodyBytes);
    return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
  } catch {
    return '';
  }
}
