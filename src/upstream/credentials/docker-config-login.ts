import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Credential } from '../credential.ts';
import { UpstreamError } from '../upstream-error.ts';
import { askCredentialProgram, type CredentialProgram } from './credential-program.ts';
import type { Login, ObtainedCredential } from './login.ts';
import type { WatchedFile } from './watched-file.ts';

/** What a Docker configuration says of one registry; a text that completes "<file> ..." where that is nothing. */
export type DockerConfigEntry =
  | { readonly kind: 'credential'; readonly credential: Credential }
  | { readonly kind: 'helper'; readonly helper: CredentialProgram }
  | string;

export interface DockerConfigLoginOptions {
  readonly path: string;
  readonly file: WatchedFile;
  readonly find: (text: string) => DockerConfigEntry;
  readonly clock: Clock;
}

/** A file is read again by itself when it changes; a helper only when it is asked. */
const fileLifeMs = 24 * 3_600_000;
const helperLifeMs = 300_000;

/** The credential that a Docker `config.json` holds for a registry, or that the helper named there gives. */
export class DockerConfigLogin implements Login {
  readonly #options: DockerConfigLoginOptions;

  constructor(options: DockerConfigLoginOptions) {
    this.#options = options;
  }

  async fingerprint(): Promise<string> {
    const text = await this.#options.file.text();
    return createHash('sha256').update(text).digest('hex');
  }

  async obtain(signal: AbortSignal): Promise<ObtainedCredential> {
    const { file, find, path, clock } = this.#options;
    const entry = find(await file.text());
    if (typeof entry === 'string') throw new UpstreamError('credential', `${path} ${entry}`);
    const nowMs = clock.nowMs();
    if (entry.kind === 'credential') {
      return { credential: entry.credential, expiresAtMs: nowMs + fileLifeMs };
    }
    const credential = await askCredentialProgram(entry.helper, signal);
    return { credential, expiresAtMs: nowMs + helperLifeMs };
  }
}
