import { WatchedFile, type WatchedFileOptions } from './watched-file.ts';

/** A text that does not print itself. */
export interface HiddenText {
  reveal(): string;
}

export interface WrittenSecret {
  readonly value: HiddenText;
  /** The file that it came from, and is read again from when that changes. */
  readonly file: string | undefined;
}

/** What the secret is by now. Fails as WatchedFile does. */
export type SecretText = () => Promise<string>;

export function secretText(secret: WrittenSecret, options: Omit<WatchedFileOptions, 'path'>): SecretText {
  if (secret.file === undefined) return async () => secret.value.reveal();
  const watched = new WatchedFile({ ...options, path: secret.file });
  return async () => watched.text();
}
