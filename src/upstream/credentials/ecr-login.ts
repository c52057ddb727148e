import { createHash } from 'node:crypto';
import type { Agent as HttpsAgent } from 'node:https';
import type { ECRClientConfig } from '@aws-sdk/client-ecr';
import { UpstreamError } from '../upstream-error.ts';
import { cloudFailure } from './cloud-failure.ts';
import type { FileStamps } from './file-stamps.ts';
import type { Login, ObtainedCredential } from './login.ts';
import type { SecretText } from './secret-text.ts';

export interface EcrLoginOptions {
  readonly id: string;
  /** `public` is public.ecr.aws, whose tokens are issued in one region and by another service. */
  readonly registry: 'private' | 'public';
  readonly region: string;
  readonly fips: boolean;
  readonly dualStack: boolean;
  /** In place of the region's own. */
  readonly endpoint: string | undefined;
  readonly stsEndpoint: string | undefined;
  /** What signs the request; without it and without a profile the SDK looks in all the places that it knows. */
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: SecretText } | undefined;
  readonly profile: string | undefined;
  readonly role: { readonly arn: string; readonly externalId: string | undefined } | undefined;
  /** The files that the SDK reads profiles from. */
  readonly profileFiles: FileStamps;
  /** For all that the SDK sends over https; used for one login. */
  readonly httpsAgent: () => HttpsAgent;
}

type Credentials = NonNullable<ECRClientConfig['credentials']>;

/** As both services answer, but for ECR's being one in a list. */
interface Authorization {
  readonly authorizationToken?: string | undefined;
  readonly expiresAt?: Date | undefined;
}

/**
 * A password for a registry of Amazon ECR, good for 12 hours, from GetAuthorizationToken. It opens every registry that
 * the principal may read, so that `registryIds` is not sent (deprecated by the API).
 * The SDK is loaded at the first login.
 */
export class EcrLogin implements Login {
  readonly #options: EcrLoginOptions;

  constructor(options: EcrLoginOptions) {
    this.#options = options;
  }

  async fingerprint(): Promise<string> {
    const { keys, profileFiles } = this.#options;
    if (keys === undefined) return profileFiles.read();
    return createHash('sha256')
      .update(await keys.secretAccessKey())
      .digest('hex');
  }

  async obtain(signal: AbortSignal): Promise<ObtainedCredential> {
    const { id } = this.#options;
    let authorization: Authorization | undefined;
    try {
      authorization = await this.#authorize(signal);
    } catch (error) {
      throw cloudFailure(error, `credential ${id}: AWS`);
    }
    return readAuthorization(authorization, id);
  }

  async #authorize(signal: AbortSignal): Promise<Authorization | undefined> {
    const { endpoint, region, registry, fips, dualStack, httpsAgent } = this.#options;
    const config: ECRClientConfig = {
      region,
      credentials: await this.#credentials(),
      maxAttempts: 2,
      requestHandler: { httpsAgent: httpsAgent() },
      useFipsEndpoint: fips,
      useDualstackEndpoint: dualStack,
      ...(endpoint === undefined ? {} : { endpoint }),
    };
    // Made anew each time: logins are hours apart, and a client keeps what it read of profiles.
    if (registry === 'private') {
      const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
      const client = new ECRClient(config);
      try {
        const answer = await client.send(new GetAuthorizationTokenCommand({}), { abortSignal: signal });
        return answer.authorizationData?.[0];
      } finally {
        client.destroy();
      }
    }
    const { ECRPUBLICClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr-public');
    const client = new ECRPUBLICClient(config);
    try {
      const answer = await client.send(new GetAuthorizationTokenCommand({}), { abortSignal: signal });
      return answer.authorizationData;
    } finally {
      client.destroy();
    }
  }

  async #credentials(): Promise<Credentials> {
    const { role, region, stsEndpoint, fips, httpsAgent } = this.#options;
    const own = await this.#ownCredentials();
    if (role === undefined) return own;
    const { fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
    return fromTemporaryCredentials({
      masterCredentials: own,
      params: {
        RoleArn: role.arn,
        RoleSessionName: 'wherry',
        ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
      },
      clientConfig: {
        region,
        maxAttempts: 2,
        requestHandler: { httpsAgent: httpsAgent() },
        useFipsEndpoint: fips,
        ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }),
      },
    });
  }

  async #ownCredentials(): Promise<Credentials> {
    const { keys, profile, httpsAgent } = this.#options;
    if (keys !== undefined) {
      return { accessKeyId: keys.accessKeyId, secretAccessKey: await keys.secretAccessKey() };
    }
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
    const clientConfig = { requestHandler: { httpsAgent: httpsAgent() } };
    return fromNodeProviderChain({
      ignoreCache: true,
      clientConfig,
      ...(profile === undefined ? {} : { profile }),
    });
  }
}

/** The token is `AWS:<password>` in base64, ready for HTTP Basic. */
function readAuthorization(authorization: Authorization | undefined, id: string): ObtainedCredential {
  const decoded = Buffer.from(authorization?.authorizationToken ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const expiresAtMs = authorization?.expiresAt?.getTime();
  if (colon < 1 || expiresAtMs === undefined || !Number.isFinite(expiresAtMs)) {
    throw new UpstreamError('malformed', `credential ${id}: AWS answered without a usable token`);
  }
  const [username, password] = [decoded.slice(0, colon), decoded.slice(colon + 1)];
  return { credential: { kind: 'password', username, password }, expiresAtMs };
}
