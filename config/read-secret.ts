import { resolve } from 'node:path';
import { readFailure, type ConfigIo } from './config-io.ts';
import type { KeyPath, Report } from './problems.ts';
import { Secret } from './secret.ts';

export interface ReadSecret {
  readonly value: Secret;
  /** Absolute path of the file that it came from. */
  readonly file: string | undefined;
}

export interface SecretContext {
  readonly io: ConfigIo;
  /** Of the section that the secret stands in. */
  readonly path: KeyPath;
  readonly report: Report;
}

/** Reads a secret from the form that it was written in. Reports and gives `undefined` when that can't be done. */
export function readSecret(
  written: string | Secret,
  key: string,
  { io, path, report }: SecretContext,
): ReadSecret | undefined {
  if (written instanceof Secret) return { value: written, file: undefined };
  const at = [...path, key];
  if (key.endsWith('Env')) {
    const text = io.env[written];
    if (text !== undefined && text !== '') return { value: new Secret(text), file: undefined };
    report(at, `the environment variable ${written} is not set`);
    return undefined;
  }
  try {
    const file = resolve(io.workingDirectory, written);
    // Editors and `echo` end files with a line end that is no part of the secret.
    const text = io.readText(file).replace(/\r?\n$/, '');
    if (text !== '') return { value: new Secret(text), file };
    report(at, `${written} is empty`);
  } catch (error) {
    report(at, `cannot read ${written}: ${readFailure(error)}`);
  }
  return undefined;
}
