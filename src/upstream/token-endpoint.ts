import type { Clock } from '../base/clock.ts';
import { readBody } from './bounded-body.ts';
import { basicAuthorization, type Credential } from './credential.ts';
import { failedAnswer } from './failed-answer.ts';
import { jwtExpiryMs } from './jwt-expiry.ts';
import type { HttpAnswer, HttpTransport } from './http-transport.ts';
import { redactUrl } from './redact.ts';
import { UpstreamError, type UpstreamErrorKind } from './upstream-error.ts';

/** What to ask of whom: the parts of a bearer challenge. */
export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  /** Space-separated, as the challenge has it. */
  readonly scope: string;
}

export interface BearerToken {
  readonly value: string;
  readonly lifetimeMs: number;
}

const maxTokenAnswerBytes = 256 * 1024;
const clientId = 'wherry';

/** distribution's token documentation: what holds where `expires_in` is missing. */
const defaultLifetimeSeconds = 60;
const maxLifetimeSeconds = 3600;

/** b64token of RFC 6750, and what else fits a header field's value without a blank. */
const tokenGrammar = /^[\x21-\x7e]{1,65536}$/;

/**
 * Asks token endpoints as distribution's token authentication describes. The caller has judged the realm.
 * Fails with UpstreamError: 401 and 403 are `credential` where one was shown, `denied` where none was.
 */
export class TokenEndpoint {
  readonly #transport: HttpTransport;
  readonly #clock: Clock;

  constructor(transport: HttpTransport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  async fetch(request: TokenRequest, credential: Credential, signal: AbortSignal): Promise<BearerToken> {
    if (credential.kind === 'identity-token') {
      const form = { grant_type: 'refresh_token', refresh_token: credential.token };
      return this.#read(await this.#post(request, form, signal), credential, 'POST');
    }
    const answer = await this.#get(request, credential, signal);
    const lacksGet = answer.status === 404 || answer.status === 405;
    if (!lacksGet || credential.kind === 'anonymous') return this.#read(answer, credential, 'GET');
    answer.discard();
    const form = { grant_type: 'password', username: credential.username, password: credential.password };
    return this.#read(await this.#post(request, form, signal), credential, 'POST');
  }

  async #get(request: TokenRequest, credential: Credential, signal: AbortSignal): Promise<HttpAnswer> {
    const url = new URL(request.realm);
    if (request.service !== undefined) url.searchParams.set('service', request.service);
    for (const scope of request.scope.split(' ')) {
      if (scope !== '') url.searchParams.append('scope', scope);
    }
    url.searchParams.set('client_id', clientId);
    const headers: Record<string, string> = { accept: 'application/json' };
    if (credential.kind === 'password') {
      url.searchParams.set('account', credential.username);
      headers['authorization'] = basicAuthorization(credential.username, credential.password);
    }
    return this.#transport.send({ method: 'GET', url, headers, lane: 'control', signal });
  }

  async #post(
    request: TokenRequest,
    grant: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const form = new URLSearchParams({ ...grant, client_id: clientId, service: request.service ?? '' });
    if (request.scope !== '') form.set('scope', request.scope);
    return this.#transport.send({
      method: 'POST',
      url: request.realm,
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      lane: 'control',
      signal,
    });
  }

  async #read(answer: HttpAnswer, credential: Credential, method: string): Promise<BearerToken> {
    if (answer.status !== 200) {
      const nowMs = this.#clock.nowMs();
      const kind = refusalKind(answer.status, credential);
      throw await failedAnswer(answer, { method, nowMs, ...(kind === undefined ? {} : { kind }) });
    }
    const bytes = await readBody(answer, maxTokenAnswerBytes);
    const token =
      bytes === undefined
        ? undefined
        : parseTokenAnswer(Buffer.from(bytes).toString('utf8'), this.#clock.nowMs());
    if (token !== undefined) return token;
    const request = `${method} ${redactUrl(answer.url)}`;
    throw new UpstreamError('malformed', `${request}: no token in the answer`, {
      request,
      status: answer.status,
    });
  }
}

/** A token endpoint that is missing or answers nonsense is no word on the repository: never `absent`. */
function refusalKind(status: number, credential: Credential): UpstreamErrorKind | undefined {
  if (status === 401 || status === 403) return credential.kind === 'anonymous' ? 'denied' : 'credential';
  // RFC 6749, 5.2: what a wrong refresh token or password gets from an OAuth2 endpoint.
  if (status === 400 && credential.kind === 'identity-token') return 'credential';
  return status === 429 || status === 408 || status >= 500 ? undefined : 'malformed';
}

function parseTokenAnswer(text: string, nowMs: number): BearerToken | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof answer !== 'object' || answer === null) return undefined;
  const fields = answer as Readonly<Record<string, unknown>>;
  const value = [fields['token'], fields['access_token']].find(isToken);
  if (value === undefined) return undefined;
  return { value, lifetimeMs: lifetimeSeconds(fields['expires_in'] ?? secondsLeft(value, nowMs)) * 1000 };
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && tokenGrammar.test(value);
}

/** Quay and ACR send no `expires_in`; their tokens are JWTs that say when they end. */
function secondsLeft(token: string, nowMs: number): number | undefined {
  const expiryMs = jwtExpiryMs(token);
  return expiryMs === undefined ? undefined : (expiryMs - nowMs) / 1000;
}

function lifetimeSeconds(expiresIn: unknown): number {
  const seconds = Number(expiresIn ?? defaultLifetimeSeconds);
  return seconds > 0 ? Math.min(seconds, maxLifetimeSeconds) : defaultLifetimeSeconds;
}
