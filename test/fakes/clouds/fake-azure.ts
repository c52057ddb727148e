import type { TokenAnswer } from '../fake-auth.ts';
import { selfSigned, type Certificate } from '../fake-listener.ts';
import { cloudListener, type CloudAnswer, type CloudRequest } from './cloud-listener.ts';

const resource = 'https://containerregistry.azure.net';
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Microsoft Entra's token endpoint over TLS, a machine's identity endpoint, and the exchange at a registry. */
export class FakeAzure {
  readonly tenantId = '11111111-1111-1111-1111-111111111111';
  readonly clientId = '22222222-2222-2222-2222-222222222222';
  readonly managedClientId = '33333333-3333-3333-3333-333333333333';
  readonly certificate: Certificate = selfSigned();
  clientSecret = 'azure-secret-hush';
  federatedToken = 'federated-hush';
  refreshLifeSeconds = 3 * 3600;
  /** What the registry gave out and takes back; shared with whoever plays its token endpoint. */
  readonly refreshTokens: string[] = [];
  readonly #accessTokens = new Set<string>();
  readonly #login = cloudListener((request) => this.#respond(request), { tls: this.certificate });
  readonly #machine = cloudListener((request) => this.#machineIdentity(request));

  /** Of the authority. */
  get origin(): string {
    return this.#login.listener.origin;
  }

  get machineOrigin(): string {
    return this.#machine.listener.origin;
  }

  /** For tokens, without the look-ups that come before. */
  get requests(): readonly CloudRequest[] {
    return this.#login.requests.filter(({ method }) => method === 'POST');
  }

  async start(): Promise<void> {
    await Promise.all([this.#login.listener.start(), this.#machine.listener.start()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#login.listener.stop(), this.#machine.listener.stop()]);
  }

  /** `POST /oauth2/exchange` of the registry; `undefined` for what is asked elsewhere. */
  exchange(request: CloudRequest): TokenAnswer | undefined {
    const { pathname } = new URL(request.target, 'http://registry');
    if (pathname !== '/oauth2/exchange') return undefined;
    const form = new URLSearchParams(request.body);
    const isRight =
      request.method === 'POST' &&
      form.get('grant_type') === 'access_token' &&
      form.get('service') === request.headers.host &&
      this.#accessTokens.has(form.get('access_token') ?? '') &&
      [null, this.tenantId].includes(form.get('tenant'));
    if (!isRight) return { status: 401, body: { errors: [{ code: 'UNAUTHORIZED' }] } };
    const claims = {
      exp: Math.floor(Date.now() / 1000) + this.refreshLifeSeconds,
      jti: this.refreshTokens.length,
    };
    const token = [{ alg: 'none' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    this.refreshTokens.push(`${token.join('.')}.hush`);
    return { status: 200, body: { refresh_token: this.refreshTokens.at(-1) } };
  }

  #respond(request: CloudRequest): CloudAnswer {
    const { pathname } = new URL(request.target, 'http://azure');
    const base = `/${this.tenantId}`;
    if (request.method === 'GET' && pathname === `${base}/v2.0/.well-known/openid-configuration`) {
      const own = `${this.origin}${base}`;
      const body = {
        issuer: `${own}/v2.0`,
        authorization_endpoint: `${own}/oauth2/v2.0/authorize`,
        token_endpoint: `${own}/oauth2/v2.0/token`,
        jwks_uri: `${own}/discovery/v2.0/keys`,
      };
      return { status: 200, body };
    }
    // A tenant that there is not.
    if (pathname !== `${base}/oauth2/v2.0/token`) return refusal('invalid_request', 90002);
    return this.#grant(new URLSearchParams(request.body));
  }

  #grant(form: URLSearchParams): CloudAnswer {
    if (form.get('grant_type') !== 'client_credentials') return refusal('unsupported_grant_type', 70003);
    const scopes = (form.get('scope') ?? '').split(' ');
    if (!scopes.includes(`${resource}/.default`)) return refusal('invalid_scope', 70011);
    if (form.get('client_id') !== this.clientId) return refusal('unauthorized_client', 700016);
    const hasSecret = form.get('client_secret') === this.clientSecret;
    const hasAssertion =
      form.get('client_assertion_type') === assertionType &&
      form.get('client_assertion') === this.federatedToken;
    return hasSecret || hasAssertion ? this.#token() : { ...refusal('invalid_client', 7000215), status: 401 };
  }

  #machineIdentity(request: CloudRequest): CloudAnswer {
    const { pathname, searchParams } = new URL(request.target, 'http://machine');
    // The library ends the path in a slash, and Azure does not mind.
    if (!/^\/metadata\/identity\/oauth2\/token\/?$/.test(pathname)) return { status: 404, body: '' };
    // Without it a redirect or a browser could be made to ask.
    if (request.headers['metadata'] !== 'true') return refusal('bad_request_102', 0);
    if (searchParams.get('api-version') !== '2018-02-01' || searchParams.get('resource') !== resource)
      return refusal('invalid_resource', 500011);
    const client = searchParams.get('client_id');
    if (client !== null && client !== this.managedClientId) return refusal('invalid_request', 0);
    const answer = this.#token();
    const expires = String(Math.floor(Date.now() / 1000) + 3600);
    return { ...answer, body: { ...(answer.body as object), expires_on: expires, resource } };
  }

  #token(): CloudAnswer {
    const access_token = `aad-hush-${this.#accessTokens.size + 1}`;
    this.#accessTokens.add(access_token);
    return {
      status: 200,
      body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token },
    };
  }
}

function refusal(error: string, code: number): CloudAnswer {
  const text = `AADSTS${code}: refused`;
  return { status: 400, body: { error, error_description: text, error_codes: [code], correlation_id: 'c' } };
}
