import { resolve } from 'node:path';
import { readFailure } from './config-io.ts';
import type { CredentialConfig } from './credential-config.ts';
import type { WrittenCredential } from './credential-schema.ts';
import { findInDockerConfig } from './docker-config.ts';
import { readSecret, type SecretContext } from './read-secret.ts';
import { cloudKeys, resolveCloudCredential } from './resolve-cloud-credential.ts';

export interface CredentialContext extends SecretContext {
  /** Names of the upstream, as a Docker configuration may have them. */
  readonly registryNames: readonly string[];
}

/** Reads the secret of one credential, whichever form it has. Reports and gives `undefined` when that can't be done. */
export function resolveCredential(
  written: WrittenCredential,
  context: CredentialContext,
): CredentialConfig | undefined {
  if (written.type !== undefined) return resolveCloudCredential(written, written.type, context);
  const { path, report } = context;
  const cloudKey = cloudKeys.find((key) => written[key] !== undefined);
  if (cloudKey !== undefined) {
    report([...path, cloudKey], 'needs a type beside it: auto, ecr, ecr-public, google or azure');
    return undefined;
  }
  const given = secretForms.filter((form) => written[form] !== undefined);
  const [form, ...more] = given;
  if (form === undefined) {
    report(path, `needs one of ${secretForms.join(', ')}, or a type`);
    return undefined;
  }
  if (more.length > 0) {
    report(path, `has more than one of ${given.join(', ')}: keep one`);
    return undefined;
  }
  const wantsUsername = form.startsWith('password');
  if (wantsUsername !== (written.username !== undefined)) {
    report(
      [...path, 'username'],
      wantsUsername ? 'is required with a password' : `has no meaning beside ${form}`,
    );
    return undefined;
  }
  return form === 'dockerConfig'
    ? fromDockerConfig(written.dockerConfig ?? '', context)
    : fromForm(written, form, context);
}

const secretForms = [
  'password',
  'passwordFile',
  'passwordEnv',
  'identityToken',
  'identityTokenFile',
  'identityTokenEnv',
  'dockerConfig',
] as const;

function fromForm(
  written: WrittenCredential,
  form: Exclude<(typeof secretForms)[number], 'dockerConfig'>,
  context: CredentialContext,
): CredentialConfig | undefined {
  const value = written[form];
  const secret = value === undefined ? undefined : readSecret(value, form, context);
  if (secret === undefined) return undefined;
  const { username } = written;
  return username === undefined
    ? { kind: 'identity-token', identityToken: secret.value, identityTokenFile: secret.file }
    : { kind: 'password', username, password: secret.value, passwordFile: secret.file };
}

function fromDockerConfig(
  file: string,
  { io, path, report, registryNames }: CredentialContext,
): CredentialConfig | undefined {
  const key = [...path, 'dockerConfig'];
  const dockerConfig = resolve(io.workingDirectory, file);
  let text: string;
  try {
    text = io.readText(dockerConfig);
  } catch (error) {
    report(key, `cannot read ${file}: ${readFailure(error)}`);
    return undefined;
  }
  const found = findInDockerConfig(text, registryNames);
  if (typeof found !== 'string') return { kind: 'docker-config', dockerConfig, registryNames };
  report(key, `${file} ${found}`);
  return undefined;
}
