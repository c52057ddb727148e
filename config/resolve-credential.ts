import { resolve } from 'node:path';
import { readFailure, type ConfigIo } from './config-io.ts';
import { credentialFromDockerConfig } from './docker-config.ts';
import type { CredentialConfig } from './edge-schema.ts';
import type { KeyPath, Report } from './problems.ts';
import { secretFrom } from './secret-source.ts';
import { Secret } from './secret.ts';
import type { WrittenCredential } from './upstream-schema.ts';

interface CredentialContext {
  readonly io: ConfigIo;
  /** Where the credential stands. */
  readonly path: KeyPath;
  readonly report: Report;
  /** Names of the upstream, as a Docker configuration may have them. */
  readonly registryNames: readonly string[];
}

/** Reads the secret of one credential, whichever form it has. Reports and gives `undefined` when that can't be done. */
export function resolveCredential(
  written: WrittenCredential,
  context: CredentialContext,
): CredentialConfig | undefined {
  const { path, report } = context;
  const given = secretForms.filter((form) => written[form] !== undefined);
  const [form, ...more] = given;
  if (form === undefined) {
    report(path, `needs one of ${secretForms.join(', ')}`);
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

type SecretForm = Exclude<(typeof secretForms)[number], 'dockerConfig'>;

function fromForm(
  written: WrittenCredential,
  form: SecretForm,
  context: CredentialContext,
): CredentialConfig | undefined {
  const value = written[form];
  const secret =
    value instanceof Secret || value === undefined
      ? value
      : secretFrom(form, value, { ...context, path: [...context.path, form] });
  if (secret === undefined) return undefined;
  return written.username === undefined
    ? { kind: 'identity-token', identityToken: secret }
    : { kind: 'password', username: written.username, password: secret };
}

function fromDockerConfig(
  file: string,
  { io, path, report, registryNames }: CredentialContext,
): CredentialConfig | undefined {
  const key = [...path, 'dockerConfig'];
  let text: string;
  try {
    text = io.readText(resolve(io.workingDirectory, file));
  } catch (error) {
    report(key, `cannot read ${file}: ${readFailure(error)}`);
    return undefined;
  }
  const found = credentialFromDockerConfig(text, registryNames);
  if (typeof found !== 'string') return found;
  report(key, `${file} ${found}`);
  return undefined;
}
