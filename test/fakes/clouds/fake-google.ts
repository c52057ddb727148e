import { generateKeyPairSync, verify } from 'node:crypto';
import { cloudListener, type CloudAnswer, type CloudRequest } from './cloud-listener.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const audience = 'https://oauth2.googleapis.com/token';
const neededScope = 'https://www.googleapis.com/auth/cloud-platform';
const metadataPath = '/computeMetadata/v1/instance/service-accounts/default/token';
const maxLifeSeconds = 3600;

/** Google's token endpoint for service accounts, its exchange for workload identities, and a machine's metadata. */
export class FakeGoogle {
  readonly email = 'edge@project.iam.gserviceaccount.com';
  readonly workloadAudience =
    '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x';
  subjectToken = 'subject-hush';
  lifeSeconds = 3600;
  nowMs: () => number = () => Date.now();
  /** Answered to every sign-in, while it is set. */
  failure: CloudAnswer | undefined;
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #cloud = cloudListener((request) => this.#respond(request));
  #issued = 0;

  get origin(): string {
    return this.#cloud.listener.origin;
  }

  get requests(): readonly CloudRequest[] {
    return this.#cloud.requests;
  }

  /** The newest that was given out; what a registry would accept. */
  get accessToken(): string {
    return `ya29.hush-${this.#issued}`;
  }

  /** As the console lets people download it. */
  keyFile(changes: object = {}): string {
    const privateKey = this.#keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
    return JSON.stringify({
      type: 'service_account',
      project_id: 'project',
      private_key_id: 'key-1',
      private_key: privateKey,
      client_email: this.email,
      token_uri: audience,
      ...changes,
    });
  }

  /** A workload identity federation that takes its subject's token from a file. */
  federation(tokenFile: string): string {
    return JSON.stringify({
      type: 'external_account',
      audience: this.workloadAudience,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${this.origin}/v1/token`,
      credential_source: { file: tokenFile },
    });
  }

  async start(): Promise<void> {
    await this.#cloud.listener.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cloud.listener.stop();
  }

  #respond(request: CloudRequest): CloudAnswer {
    const { pathname } = new URL(request.target, 'http://google');
    if (pathname.startsWith('/computeMetadata/')) return this.#metadata(request, pathname);
    if (request.method !== 'POST') return { status: 404, body: {} };
    if (this.failure !== undefined) return this.failure;
    const form = new URLSearchParams(request.body);
    if (pathname === '/token') return this.#serviceAccount(form);
    return pathname === '/v1/token' ? this.#exchange(form) : { status: 404, body: {} };
  }

  #serviceAccount(form: URLSearchParams): CloudAnswer {
    const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    if (form.get('grant_type') !== grantType) return refusal('unsupported_grant_type');
    const signed = Buffer.from(`${head}.${claims}`);
    const isOurs = verify('sha256', signed, this.#keys.publicKey, Buffer.from(signature, 'base64url'));
    if (!isOurs || decode(head)['alg'] !== 'RS256') return refusal('invalid_grant');
    const { iss, aud, scope, iat, exp } = decode(claims);
    const nowSeconds = this.nowMs() / 1000;
    const [from, to] = [Number(iat), Number(exp)];
    if (iss !== this.email || aud !== audience) return refusal('invalid_grant');
    // Google allows clocks to be off by a little.
    const isTimely = from <= nowSeconds + 60 && to > nowSeconds && to - from <= maxLifeSeconds;
    if (!isTimely) return refusal('invalid_grant');
    return String(scope).split(' ').includes(neededScope) ? this.#token() : refusal('invalid_scope');
  }

  #exchange(form: URLSearchParams): CloudAnswer {
    const expected = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: this.workloadAudience,
      scope: neededScope,
      subject_token: this.subjectToken,
    };
    const wrong = Object.entries(expected).some(([name, value]) => form.get(name) !== value);
    return wrong ? refusal('invalid_grant') : this.#token();
  }

  #metadata(request: CloudRequest, pathname: string): CloudAnswer {
    const headers = { 'metadata-flavor': 'Google' };
    // Without it a browser or a redirect could be made to ask.
    if (request.headers['metadata-flavor'] !== 'Google') return { status: 403, headers, body: '' };
    if (pathname === metadataPath) return { ...this.#token(), headers };
    return pathname === '/computeMetadata/v1/instance'
      ? { status: 200, headers, body: '{}' }
      : { status: 404, headers, body: '' };
  }

  #token(): CloudAnswer {
    this.#issued += 1;
    const body = { access_token: this.accessToken, expires_in: this.lifeSeconds, token_type: 'Bearer' };
    return { status: 200, body };
  }
}

function refusal(error: string): CloudAnswer {
  return { status: 400, body: { error, error_description: 'refused' } };
}

function decode(part: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}
