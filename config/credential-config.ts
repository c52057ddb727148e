import type { Secret } from './secret.ts';

/** A credential with everything filled in. What was read from a file keeps the file's absolute path, to be read again. */
export type CredentialConfig =
  | {
      readonly kind: 'password';
      readonly username: string;
      readonly password: Secret;
      readonly passwordFile: string | undefined;
    }
  | {
      readonly kind: 'identity-token';
      readonly identityToken: Secret;
      readonly identityTokenFile: string | undefined;
    }
  | {
      readonly kind: 'docker-config';
      readonly dockerConfig: string;
      /** Names of the upstream, as the file may have them. */
      readonly registryNames: readonly string[];
    }
  | EcrCredentialConfig
  | { readonly kind: 'google'; readonly keyFile: string | undefined; readonly endpoint: string | undefined }
  | AzureCredentialConfig;

export interface EcrCredentialConfig {
  readonly kind: 'ecr' | 'ecr-public';
  readonly region: string;
  readonly fips: boolean;
  readonly dualStack: boolean;
  readonly endpoint: string | undefined;
  readonly stsEndpoint: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: Secret | undefined;
  readonly secretAccessKeyFile: string | undefined;
  readonly profile: string | undefined;
  readonly roleArn: string | undefined;
  readonly externalId: string | undefined;
  /** Where the SDK looks for profiles. */
  readonly profileFiles: readonly string[];
}

export interface AzureCredentialConfig {
  readonly kind: 'azure';
  readonly tenantId: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: Secret | undefined;
  readonly clientSecretFile: string | undefined;
  readonly federatedTokenFile: string | undefined;
  readonly managedIdentityClientId: string | undefined;
  readonly endpoint: string | undefined;
}
