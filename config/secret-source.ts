import { resolve } from 'node:path';
import { readFailure, type ConfigIo } from './config-io.ts';
import type { KeyPath, Report } from './problems.ts';
import { Secret } from './secret.ts';

export interface SecretContext {
  readonly io: ConfigIo;
  /** Of the key that names the source. */
  readonly path: KeyPath;
  readonly report: Report;
}

/**
 * Reads a secret from the environment variable or the file that a key names; keys of the first kind end with `Env`.
 * Reports and gives `undefined` when that can't be done.
 */
export function secretFrom(
  key: string,
  value: string,
  { io, path, report }: SecretContext,
): Secret | undefined {
  if (key.endsWith('Env')) {
    const text = io.env[value];
    if (text !== undefined && text !== '') return new Secret(text);
    report(path, `the environment variable ${value} is not set`);
    return undefined;
  }
  try {
    // Editors and `echo` end files with a line end that is no part of the secret.
    const text = io.readText(resolve(io.workingDirectory, value)).replace(/\r?\n$/, '');
    if (text !== '') return new Secret(text);
    report(path, `${value} is empty`);
  } catch (error) {
    report(path, `cannot read ${value}: ${readFailure(error)}`);
  }
  return undefined;
}
