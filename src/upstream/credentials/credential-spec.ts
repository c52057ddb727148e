import type { DockerConfigEntry } from './docker-config-login.ts';
import type { HiddenText } from './secret-text.ts';

/** A credential as it was configured: every default filled in, paths absolute, secrets read once already. */
export type CredentialSpec =
  | PasswordSpec
  | IdentityTokenSpec
  | DockerConfigSpec
  | EcrSpec
  | GoogleSpec
  | AzureSpec;

export interface PasswordSpec {
  readonly kind: 'password';
  readonly username: string;
  readonly password: HiddenText;
  /** Where the password comes from, to be read again when it changes. */
  readonly passwordFile: string | undefined;
}

export interface IdentityTokenSpec {
  readonly kind: 'identity-token';
  readonly identityToken: HiddenText;
  readonly identityTokenFile: string | undefined;
}

export interface DockerConfigSpec {
  readonly kind: 'docker-config';
  readonly dockerConfig: string;
  /** Finds what the file's text says of this upstream. */
  readonly find: (text: string) => DockerConfigEntry;
}

export interface EcrSpec {
  readonly kind: 'ecr' | 'ecr-public';
  readonly region: string;
  readonly fips: boolean;
  readonly dualStack: boolean;
  readonly endpoint: string | undefined;
  readonly stsEndpoint: string | undefined;
  readonly accessKeyId: string | undefined;
  /** There with `accessKeyId` and only with it. */
  readonly secretAccessKey: HiddenText | undefined;
  readonly secretAccessKeyFile: string | undefined;
  readonly profile: string | undefined;
  readonly roleArn: string | undefined;
  readonly externalId: string | undefined;
  /** The files that the SDK takes profiles from, there or not. */
  readonly profileFiles: readonly string[];
}

export interface GoogleSpec {
  readonly kind: 'google';
  readonly keyFile: string | undefined;
  readonly endpoint: string | undefined;
}

export interface AzureSpec {
  readonly kind: 'azure';
  readonly tenantId: string | undefined;
  readonly clientId: string | undefined;
  /** With it, or with `federatedTokenFile`, `tenantId` and `clientId` are there; without both the machine's identity counts. */
  readonly clientSecret: HiddenText | undefined;
  readonly clientSecretFile: string | undefined;
  readonly federatedTokenFile: string | undefined;
  readonly managedIdentityClientId: string | undefined;
  readonly endpoint: string | undefined;
}
