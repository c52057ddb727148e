import { createHash } from 'node:crypto';
import type { AuthClient, GoogleAuthOptions } from 'google-auth-library';
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { UpstreamError } from '../upstream-error.ts';
import { cloudFailure } from './cloud-failure.ts';
import type { Login, ObtainedCredential } from './login.ts';
import type { SecretText } from './secret-text.ts';
import { untilAborted } from './until-aborted.ts';

export interface GoogleLoginOptions {
  readonly id: string;
  /**
   * JSON of a service account's key, or of a workload identity federation; without it the library looks for the
   * application default credentials, those of the machine's metadata server last.
   */
  readonly key: SecretText | undefined;
  /** In place of https://oauth2.googleapis.com: where service accounts get their tokens. */
  readonly endpoint: string | undefined;
  readonly clock: Clock;
}

const scopes = ['https://www.googleapis.com/auth/cloud-platform'];
const tokenOrigin = 'https://oauth2.googleapis.com';

/** Where an access token comes without the time of its end. */
const assumedLifeMs = 5 * 60_000;

const keySchema = z.looseObject({ type: z.string() });

/**
 * An access token of Google Cloud, good for an hour, as the password of `oauth2accesstoken` (Artifact Registry,
 * "Configure authentication to Artifact Registry for Docker"). The library is loaded at the first login.
 */
export class GoogleLogin implements Login {
  readonly #options: GoogleLoginOptions;

  constructor(options: GoogleLoginOptions) {
    this.#options = options;
  }

  async fingerprint(): Promise<string> {
    const { key } = this.#options;
    if (key === undefined) return 'default credentials';
    return createHash('sha256')
      .update(await key())
      .digest('hex');
  }

  async obtain(signal: AbortSignal): Promise<ObtainedCredential> {
    const { id, clock } = this.#options;
    const credentials = await this.#readKey();
    try {
      const client = await untilAborted(this.#client(credentials, signal), signal);
      const { token } = await untilAborted(client.getAccessToken(), signal);
      if (token === undefined || token === null || token === '') {
        throw new UpstreamError('malformed', `credential ${id}: Google answered without a token`);
      }
      const expiresAtMs = client.credentials.expiry_date ?? clock.nowMs() + assumedLifeMs;
      return {
        credential: { kind: 'password', username: 'oauth2accesstoken', password: token },
        expiresAtMs,
      };
    } catch (error) {
      throw cloudFailure(error, `credential ${id}: Google`);
    }
  }

  async #readKey(): Promise<GoogleAuthOptions['credentials'] | undefined> {
    const { key, id } = this.#options;
    if (key === undefined) return undefined;
    try {
      return keySchema.parse(JSON.parse(await key()));
    } catch (error) {
      if (error instanceof UpstreamError) throw error;
      // The parser's own message quotes the text, which is secret.
      throw new UpstreamError(
        'credential',
        `credential ${id}: the key file is no key of Google Cloud in JSON`,
      );
    }
  }

  async #client(
    credentials: GoogleAuthOptions['credentials'] | undefined,
    signal: AbortSignal,
  ): Promise<AuthClient> {
    const { GoogleAuth } = await import('google-auth-library');
    const auth = new GoogleAuth({
      scopes,
      clientOptions: {
        transporterOptions: { fetchImplementation: this.#fetch(signal), retryConfig: { retry: 1 } },
      },
      ...(credentials === undefined ? {} : { credentials }),
    });
    return auth.getClient();
  }

  /** The library knows one address for service accounts, and no signal. */
  #fetch(signal: AbortSignal): typeof fetch {
    const { endpoint } = this.#options;
    return async (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const target =
        endpoint !== undefined && url.origin === tokenOrigin ? new URL(url.pathname, endpoint) : url;
      return fetch(target, {
        ...init,
        signal: AbortSignal.any([signal, ...(init?.signal ? [init.signal] : [])]),
      });
    };
  }
}
