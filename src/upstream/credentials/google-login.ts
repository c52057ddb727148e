import assert from 'node:assert/strict';
import { createHash, createPrivateKey } from 'node:crypto';
import type { AuthClient, OAuth2ClientOptions } from 'google-auth-library';
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

const keySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('service_account'),
    client_email: z.string().min(1),
    private_key: z.string().refine(isPrivateKey),
    private_key_id: z.string().optional(),
  }),
  /** Workload identity federation: the library knows the rest. */
  z.looseObject({
    type: z.literal('external_account'),
    audience: z.string(),
    subject_token_type: z.string(),
    token_url: z.url(),
  }),
]);

type Key = z.output<typeof keySchema>;

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
    const key = await this.#readKey();
    try {
      const client = await untilAborted(this.#client(key, signal), signal);
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

  async #readKey(): Promise<Key | undefined> {
    const { key, id } = this.#options;
    const parsed = key === undefined ? undefined : keySchema.safeParse(jsonFrom(await key()));
    if (parsed === undefined || parsed.success) return parsed?.data;
    // Without the parser's message, which may quote the key.
    throw new UpstreamError(
      'credential',
      `credential ${id}: the key file holds neither a service account's key nor a workload identity federation`,
    );
  }

  async #client(key: Key | undefined, signal: AbortSignal): Promise<AuthClient> {
    const google = await import('google-auth-library');
    const shared: OAuth2ClientOptions = {
      transporterOptions: { fetchImplementation: this.#fetch(signal), retryConfig: { retry: 1 } },
    };
    if (key === undefined) return new google.GoogleAuth({ scopes, clientOptions: shared }).getClient();
    if (key.type === 'service_account') {
      const { client_email: email, private_key: privateKey, private_key_id: keyId } = key;
      const named = keyId === undefined ? {} : { keyId };
      return new google.JWT({ ...shared, email, key: privateKey, scopes, ...named });
    }
    const client = google.ExternalAccountClient.fromJSON({ ...key, ...shared, scopes });
    assert(client !== null, 'the library knows the type that it named');
    return client;
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

function isPrivateKey(text: string): boolean {
  try {
    createPrivateKey(text);
    return true;
  } catch {
    // OpenSSL's reason means nothing to whoever reads that the file holds no key.
    return false;
  }
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses `undefined`.
    return undefined;
  }
}
