import { signatureError, type SignatureRules } from './aws-signature.ts';
import { cloudListener, type CloudAnswer, type CloudRequest } from './cloud-listener.ts';

const ecrTarget = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';
const publicTarget = 'SpencerFrontendService.GetAuthorizationToken';
const metadataToken = 'imds-session';
const metadataRole = 'edge-role';

interface Key {
  readonly id: string;
  secret: string;
  readonly sessionToken?: string;
}

/** Sign-in to ECR and what leads to it: STS, instance metadata (version 2 only), container credentials. */
export class FakeAws {
  readonly region: string;
  readonly key: Key = { id: 'AKIDEXAMPLE', secret: 'aws-secret-hush' };
  /** What roles, machines and containers are given. */
  readonly sessionKey: Key = { id: 'ASIAEXAMPLE', secret: 'session-hush', sessionToken: 'session-token' };
  readonly roleArn = 'arn:aws:iam::123456789012:role/edge';
  externalId: string | undefined;
  webIdentityToken = 'web-identity-hush';
  password = 'ecr-password-hush';
  lifeSeconds = 12 * 3600;
  nowMs: () => number = () => Date.now();
  /** Answered to every sign-in, while it is set. */
  failure: CloudAnswer | undefined;
  readonly #cloud = cloudListener((request) => this.#respond(request));

  constructor(region = 'eu-central-1') {
    this.region = region;
  }

  get origin(): string {
    return this.#cloud.listener.origin;
  }

  get requests(): readonly CloudRequest[] {
    return this.#cloud.requests;
  }

  async start(): Promise<void> {
    await this.#cloud.listener.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cloud.listener.stop();
  }

  #respond(request: CloudRequest): CloudAnswer {
    const { pathname } = new URL(request.target, 'http://aws');
    if (pathname.startsWith('/latest/')) return this.#metadata(request, pathname);
    if (pathname === '/container-credentials') return { status: 200, body: this.#sessionCredentials() };
    const action = new URLSearchParams(request.body).get('Action');
    if (action !== null) return this.#sts(request, action);
    return this.failure ?? this.#authorizationToken(request);
  }

  #authorizationToken(request: CloudRequest): CloudAnswer {
    const target = request.headers['x-amz-target'];
    const isPublic = target === publicTarget;
    if (!isPublic && target !== ecrTarget) return refusal('UnknownOperationException');
    if (request.method !== 'POST' || request.headers['content-type'] !== 'application/x-amz-json-1.1')
      return refusal('SerializationException');
    const rules = isPublic ? this.#rules('ecr-public', 'us-east-1') : this.#rules('ecr', this.region);
    const error = signatureError(request, rules);
    if (error !== undefined) return refusal(error);
    const authorizationToken = Buffer.from(`AWS:${this.password}`).toString('base64');
    const data = { authorizationToken, expiresAt: this.nowMs() / 1000 + this.lifeSeconds };
    return {
      status: 200,
      type: 'application/x-amz-json-1.1',
      body: { authorizationData: isPublic ? data : [data] },
    };
  }

  #sts(request: CloudRequest, action: string): CloudAnswer {
    const form = new URLSearchParams(request.body);
    if (form.get('RoleArn') !== this.roleArn) return stsRefusal('AccessDenied');
    if (action === 'AssumeRoleWithWebIdentity') {
      const isRight = form.get('WebIdentityToken') === this.webIdentityToken;
      return isRight ? this.#assumed(action) : stsRefusal('InvalidIdentityToken');
    }
    const error = signatureError(request, this.#rules('sts', this.region));
    if (error !== undefined) return stsRefusal('SignatureDoesNotMatch');
    if ((form.get('ExternalId') ?? undefined) !== this.externalId) return stsRefusal('AccessDenied');
    return action === 'AssumeRole' ? this.#assumed(action) : stsRefusal('InvalidAction');
  }

  #assumed(action: string): CloudAnswer {
    const { AccessKeyId, SecretAccessKey, Token, Expiration } = this.#sessionCredentials();
    const credentials = `<AccessKeyId>${AccessKeyId}</AccessKeyId><SecretAccessKey>${SecretAccessKey}</SecretAccessKey><SessionToken>${Token}</SessionToken><Expiration>${Expiration}</Expiration>`;
    const user = `<AssumedRoleUser><Arn>${this.roleArn}</Arn><AssumedRoleId>A:wherry</AssumedRoleId></AssumedRoleUser>`;
    const body = `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${user}<Credentials>${credentials}</Credentials></${action}Result></${action}Response>`;
    return { status: 200, type: 'text/xml', body };
  }

  /** Version 1, which asks without a session, is turned off. */
  #metadata(request: CloudRequest, pathname: string): CloudAnswer {
    if (pathname === '/latest/api/token') {
      const isPut =
        request.method === 'PUT' && request.headers['x-aws-ec2-metadata-token-ttl-seconds'] !== undefined;
      return isPut ? { status: 200, type: 'text/plain', body: metadataToken } : { status: 405, body: '' };
    }
    if (request.headers['x-aws-ec2-metadata-token'] !== metadataToken) return { status: 401, body: '' };
    const folder = '/latest/meta-data/iam/security-credentials/';
    if (pathname === folder) return { status: 200, type: 'text/plain', body: metadataRole };
    return pathname === folder + metadataRole
      ? { status: 200, body: this.#sessionCredentials() }
      : { status: 404, body: '' };
  }

  #sessionCredentials(): Record<string, string> {
    const { id, secret, sessionToken = '' } = this.sessionKey;
    const Expiration = new Date(this.nowMs() + 3_600_000).toISOString();
    return { Code: 'Success', AccessKeyId: id, SecretAccessKey: secret, Token: sessionToken, Expiration };
  }

  #rules(service: string, region: string): SignatureRules {
    const keys = [this.key, this.sessionKey];
    return { service, region, nowMs: this.nowMs(), keyOf: (id) => keys.find((key) => key.id === id) };
  }
}

function refusal(name: string): CloudAnswer {
  return {
    status: 400,
    type: 'application/x-amz-json-1.1',
    headers: { 'x-amzn-errortype': name },
    body: { __type: name, message: 'refused' },
  };
}

function stsRefusal(name: string): CloudAnswer {
  const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${name}</Code><Message>refused</Message></Error></ErrorResponse>`;
  return { status: 403, type: 'text/xml', body };
}
