import type { Clock } from '../../base/clock.ts';
import { readBody } from '../bounded-body.ts';
import { failedAnswer } from '../failed-answer.ts';
import type { HttpTransport } from '../http-transport.ts';
import { jwtExpiryMs } from '../jwt-expiry.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { ObtainedCredential } from './login.ts';

export interface AcrExchangeOptions {
  readonly id: string;
  readonly registry: URL;
  readonly tenantId: string | undefined;
  readonly transport: HttpTransport;
  readonly clock: Clock;
}

const maxAnswerBytes = 256 * 1024;

/** The documented life of a refresh token is three hours; what is assumed of one that does not say. */
const assumedLifeMs = 3_600_000;

/**
 * Trades an access token of Microsoft Entra for a refresh token of the registry, at its `/oauth2/exchange`
 * (azure/acr, AAD-OAuth.md). Fails with UpstreamError, `credential` where the registry turns the token away.
 */
export async function exchangeForRefreshToken(
  accessToken: string,
  options: AcrExchangeOptions,
  signal: AbortSignal,
): Promise<ObtainedCredential> {
  const { id, registry, tenantId, transport, clock } = options;
  const form = new URLSearchParams({
    grant_type: 'access_token',
    service: registry.host,
    ...(tenantId === undefined ? {} : { tenant: tenantId }),
    access_token: accessToken,
  });
  const answer = await transport.send({
    method: 'POST',
    url: new URL('/oauth2/exchange', registry),
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
    lane: 'control',
    signal,
  });
  if (answer.status !== 200) {
    const refused = answer.status === 400 || answer.status === 401 || answer.status === 403;
    const context = { method: 'POST', nowMs: clock.nowMs() };
    throw await failedAnswer(answer, refused ? { ...context, kind: 'credential' } : context);
  }
  const bytes = await readBody(answer, maxAnswerBytes);
  const token = bytes === undefined ? undefined : refreshTokenIn(Buffer.from(bytes).toString('utf8'));
  if (token === undefined) {
    throw new UpstreamError('malformed', `credential ${id}: no refresh token in the registry's answer`);
  }
  const expiresAtMs = jwtExpiryMs(token) ?? clock.nowMs() + assumedLifeMs;
  return { credential: { kind: 'identity-token', token }, expiresAtMs };
}

function refreshTokenIn(text: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null || !('refresh_token' in answer)) return undefined;
    const token = answer.refresh_token;
    return typeof token === 'string' && token !== '' ? token : undefined;
  } catch {
    // Told apart from an answer without a token by nobody.
    return undefined;
  }
}
