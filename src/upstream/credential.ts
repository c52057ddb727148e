import { createHash } from 'node:crypto';

/** Something to sign in to an upstream with. */
export type Credential =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, Docker's `identitytoken`: goes to the token endpoint only. */
  | { readonly kind: 'identity-token'; readonly token: string };

/** Where a credential comes from. It may change between two calls, as a file that an administrator replaces does. */
export interface CredentialSource {
  /** For logs and metric labels: never a secret. */
  readonly id: string;
  /** Fails with UpstreamError `credential` when there is none to be had. */
  read(signal: AbortSignal): Promise<Credential>;
  /** The upstream turned this one away: whoever got it from elsewhere should get another. */
  rejected?(credential: Credential): void;
}

export const anonymous: CredentialSource = {
  id: 'anonymous',
  read: async () => ({ kind: 'anonymous' }),
};

export function fixedCredential(id: string, credential: Credential): CredentialSource {
  return { id, read: async () => credential };
}

/** Tells two credentials apart without keeping either: part of the key under which tokens are remembered. */
export function credentialFingerprint(credential: Credential): string {
  return createHash('sha256')
    .update(JSON.stringify(secretParts(credential)))
    .digest('hex')
    .slice(0, 32);
}

/** The field value of HTTP Basic (RFC 7617), UTF-8. */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function secretParts(credential: Credential): readonly string[] {
  switch (credential.kind) {
    case 'anonymous':
      return ['anonymous'];
    case 'password':
      return ['password', credential.username, credential.password];
    case 'identity-token':
      return ['identity-token', credential.token];
  }
}
