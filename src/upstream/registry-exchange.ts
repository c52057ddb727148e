import type { Clock } from '../base/clock.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { failedAnswer } from './failed-answer.ts';
import type { HttpAnswer, HttpRequest, HttpTransport } from './http-transport.ts';
import { redactUrl } from './redact.ts';
import { isRedirect, isSameOrigin, maxRedirects, redirectTarget } from './redirect-policy.ts';
import type { Grant, SignIn } from './sign-in.ts';
import { isStaleConnection } from './transport-failure.ts';
import { UpstreamError } from './upstream-error.ts';

export interface ExchangeOptions {
  /** Where the upstream's `/v2/` lies; a path in front of it is kept. */
  readonly base: URL;
  readonly transport: HttpTransport;
  readonly signIn: SignIn;
  readonly allowPrivateTargets: boolean;
  readonly clock: Clock;
}

export interface RegistryCall {
  readonly method: 'GET' | 'HEAD';
  readonly repository: RepositoryName;
  /** Below `/v2/<repository>/`, or a whole URL of the upstream's own origin. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly lane: HttpRequest['lane'];
  /** Statuses that are an answer; all others are errors. */
  readonly accept: readonly number[];
  /** Hands out a redirect to another origin instead of following it. */
  readonly stopAtOtherOrigin?: boolean;
  readonly signal: AbortSignal;
}

/** Calls one registry with one credential: signs in, follows redirects, makes errors of refusals. */
export class RegistryExchange {
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  get base(): URL {
    return this.#options.base;
  }

  /** Fails with UpstreamError and with nothing else. `call.accept` also holds for what a redirect leads to. */
  async call(call: RegistryCall): Promise<HttpAnswer> {
    const url = this.#url(call);
    let grant = await this.#options.signIn.prepare(call.repository, call.signal);
    let answer = await this.#follow(call, url, grant);
    if (answer.status === 401 && isSameOrigin(answer.url, url)) {
      grant = await this.#signIn(call, answer, grant);
      answer = await this.#follow(call, url, grant);
    }
    const isHandedOut = call.stopAtOtherOrigin === true && isRedirect(answer.status);
    if (isHandedOut || call.accept.includes(answer.status)) return answer;
    throw await this.#failure(call, answer, grant);
  }

  async #signIn(call: RegistryCall, refused: HttpAnswer, grant: Grant | undefined): Promise<Grant> {
    const { method, repository, signal } = call;
    const name = `${method} ${redactUrl(refused.url)}`;
    refused.discard();
    grant?.withdraw();
    if (grant?.refusal === 'credential') {
      throw new UpstreamError('credential', `${name}: the credential was turned away`, {
        request: name,
        status: 401,
      });
    }
    const fields = refused.headerLines('www-authenticate');
    return this.#options.signIn.answer(fields, { repository, name, signal });
  }

  async #follow(call: RegistryCall, start: URL, grant: Grant | undefined): Promise<HttpAnswer> {
    let url = start;
    let mayShowGrant = true;
    for (let hops = 0; ; hops += 1) {
      mayShowGrant &&= isSameOrigin(url, start);
      const answer = await this.#send(call, url, mayShowGrant ? grant : undefined);
      if (!isRedirect(answer.status)) return answer;
      const next = this.#redirect(answer, hops);
      if (call.stopAtOtherOrigin === true && !isSameOrigin(next, start)) return answer;
      answer.discard();
      url = next;
    }
  }

  #redirect(answer: HttpAnswer, hops: number): URL {
    const { allowPrivateTargets, transport } = this.#options;
    try {
      if (hops === maxRedirects) {
        const request = redactUrl(answer.url);
        throw new UpstreamError('malformed', `${request}: more than ${maxRedirects} redirects`, { request });
      }
      return redirectTarget(
        answer.url,
        answer.header('location'),
        allowPrivateTargets || transport.upstreamIsPrivate,
      );
    } catch (error) {
      answer.discard();
      throw error;
    }
  }

  async #send(call: RegistryCall, url: URL, grant: Grant | undefined): Promise<HttpAnswer> {
    const headers: Record<string, string> = { ...call.headers };
    if (grant !== undefined) headers['authorization'] = grant.authorization;
    const { transport } = this.#options;
    const request: HttpRequest = { method: call.method, url, headers, lane: call.lane, signal: call.signal };
    try {
      return await transport.send(request);
    } catch (error) {
      const once = call.lane === 'control' && error instanceof UpstreamError && isStaleConnection(error);
      if (!once) throw error;
      return transport.send(request);
    }
  }

  async #failure(call: RegistryCall, answer: HttpAnswer, grant: Grant | undefined): Promise<UpstreamError> {
    const { status } = answer;
    const isOwn = isSameOrigin(answer.url, this.#options.base);
    const context = { method: call.method, nowMs: this.#options.clock.nowMs() };
    if (isOwn && status === 401 && grant !== undefined) {
      grant.withdraw();
      return failedAnswer(answer, { ...context, kind: grant.refusal });
    }
    const error = await failedAnswer(answer, context);
    if (isOwn && status === 403) await grant?.confirm(call.signal);
    // An object store that turns a presigned URL away has said nothing about the repository.
    const isStore = !isOwn && typeof call.target === 'string' && call.target.startsWith('blobs/');
    if (!isStore || (status !== 400 && status !== 401 && status !== 403)) return error;
    const { request = '' } = error;
    return new UpstreamError('unavailable', error.message, { request, status });
  }

  #url(call: RegistryCall): URL {
    if (call.target instanceof URL) return call.target;
    const { base } = this.#options;
    const prefix = base.pathname.replace(/\/+$/, '');
    return new URL(`${prefix}/v2/${call.repository}/${call.target}`, base);
  }
}
