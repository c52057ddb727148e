import assert from 'node:assert/strict';
import type { FileSystem } from '../../base/file-system.ts';
import type { Credential, CredentialSource } from '../credential.ts';
import { AzureLogin, type AzurePrincipal } from './azure-login.ts';
import type { CredentialContext, OpenCredential } from './credential-context.ts';
import type { AzureSpec, CredentialSpec, EcrSpec } from './credential-spec.ts';
import { DockerConfigLogin } from './docker-config-login.ts';
import { EcrLogin } from './ecr-login.ts';
import { FileStamps } from './file-stamps.ts';
import { GoogleLogin } from './google-login.ts';
import type { Login } from './login.ts';
import { RenewedCredential } from './renewed-credential.ts';
import { secretText, type SecretText } from './secret-text.ts';
import { WatchedFile } from './watched-file.ts';

export interface ConfiguredCredentialOptions {
  /** For logs and metric labels. */
  readonly id: string;
  readonly files: FileSystem;
}

const loginMs = 20_000;
const retryMs = 30_000;

/** As long as the pause after three rejections: what the cloud gives anew is not tried more often than that. */
const cloudRejectedAfterMs = 600_000;

/** A helper costs a process and no login: a secret corrected behind it works within ten seconds. */
const helperRejectedAfterMs = 5_000;

/** The source for what was configured. */
export function configuredCredential(
  spec: CredentialSpec,
  { id, files }: ConfiguredCredentialOptions,
): OpenCredential {
  return (context) => {
    const watch = { files, clock: context.clock, logger: context.logger };
    switch (spec.kind) {
      case 'password': {
        const { username } = spec;
        const text = secretText({ value: spec.password, file: spec.passwordFile }, watch);
        return textCredential(id, text, (password) => ({ kind: 'password', username, password }));
      }
      case 'identity-token': {
        const text = secretText({ value: spec.identityToken, file: spec.identityTokenFile }, watch);
        return textCredential(id, text, (token) => ({ kind: 'identity-token', token }));
      }
      case 'docker-config': {
        const { dockerConfig: path, find } = spec;
        const file = new WatchedFile({ ...watch, path });
        const login = new DockerConfigLogin({ path, file, find, clock: context.clock });
        return renewed({ id, login, context, rejectedAfterMs: helperRejectedAfterMs });
      }
      case 'ecr':
      case 'ecr-public': {
        const secretAccessKey = optionalText(spec.secretAccessKey, spec.secretAccessKeyFile, watch);
        const profileFiles = new FileStamps(spec.profileFiles, watch);
        const login = ecrLogin(spec, { id, secretAccessKey, profileFiles, context });
        return renewed({ id, login, context, rejectedAfterMs: cloudRejectedAfterMs });
      }
      case 'google': {
        const { keyFile, endpoint } = spec;
        const key = keyFile === undefined ? undefined : new WatchedFile({ ...watch, path: keyFile });
        const read = key === undefined ? undefined : async () => key.text();
        const login = new GoogleLogin({ id, key: read, endpoint, clock: context.clock });
        return renewed({ id, login, context, rejectedAfterMs: cloudRejectedAfterMs });
      }
      case 'azure': {
        const secret = optionalText(spec.clientSecret, spec.clientSecretFile, watch);
        const login = azureLogin(spec, { id, secret, context });
        return renewed({ id, login, context, rejectedAfterMs: cloudRejectedAfterMs });
      }
    }
  };
}

function textCredential(
  id: string,
  text: SecretText,
  credentialOf: (secret: string) => Credential,
): CredentialSource {
  return { id, read: async () => credentialOf(await text()) };
}

function optionalText(
  value: Parameters<typeof secretText>[0]['value'] | undefined,
  file: string | undefined,
  watch: Parameters<typeof secretText>[1],
): SecretText | undefined {
  return value === undefined ? undefined : secretText({ value, file }, watch);
}

function renewed(parts: {
  id: string;
  login: Login;
  context: CredentialContext;
  rejectedAfterMs: number;
}): CredentialSource {
  const { id, login, context, rejectedAfterMs } = parts;
  return new RenewedCredential({ id, login, context, limits: { loginMs, retryMs, rejectedAfterMs } });
}

function ecrLogin(
  spec: EcrSpec,
  parts: {
    id: string;
    secretAccessKey: SecretText | undefined;
    profileFiles: FileStamps;
    context: CredentialContext;
  },
): Login {
  const { accessKeyId, roleArn, externalId } = spec;
  const { id, secretAccessKey, profileFiles, context } = parts;
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined;
  return new EcrLogin({
    id,
    registry: spec.kind === 'ecr' ? 'private' : 'public',
    region: spec.region,
    fips: spec.fips,
    dualStack: spec.dualStack,
    endpoint: spec.endpoint,
    stsEndpoint: spec.stsEndpoint,
    keys: hasKeys ? { accessKeyId, secretAccessKey } : undefined,
    profile: spec.profile,
    role: roleArn === undefined ? undefined : { arn: roleArn, externalId },
    profileFiles,
    httpsAgent: context.httpsAgent,
  });
}

function azureLogin(
  spec: AzureSpec,
  parts: { id: string; secret: SecretText | undefined; context: CredentialContext },
): Login {
  const { id, secret, context } = parts;
  const { upstream: registry, transport, clock } = context;
  const exchange = { id, registry, tenantId: spec.tenantId, transport, clock };
  return new AzureLogin({ id, principal: principalOf(spec, secret), endpoint: spec.endpoint, exchange });
}

function principalOf(spec: AzureSpec, secret: SecretText | undefined): AzurePrincipal {
  const { tenantId, clientId, federatedTokenFile, managedIdentityClientId } = spec;
  if (secret === undefined && federatedTokenFile === undefined) {
    return { kind: 'managed', clientId: managedIdentityClientId };
  }
  assert(tenantId !== undefined && clientId !== undefined, 'the configuration asks for both');
  if (secret !== undefined) return { kind: 'secret', tenantId, clientId, secret };
  assert(federatedTokenFile !== undefined, 'one of the two is there');
  return { kind: 'workload', tenantId, clientId, tokenFile: federatedTokenFile };
}
