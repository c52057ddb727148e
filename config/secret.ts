import { inspect } from 'node:util';

/** What stands in place of a secret wherever configuration is printed. */
export const secretMask = '********';

/** A value that must not reach logs or output: every way of printing it gives the mask, only `reveal` the text. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return secretMask;
  }

  toJSON(): string {
    return secretMask;
  }

  [inspect.custom](): string {
    return secretMask;
  }
}
