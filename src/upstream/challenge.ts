/** One way in that a 401 answer offers (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower-case: `bearer`, `basic`, `negotiate` ... */
  readonly scheme: string;
  /** Names in lower case; of a repeated name the first value counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longer than any real field; what lies beyond is not looked at. */
const maxFieldLength = 16 * 1024;
const maxChallenges = 16;

const tokenAt = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const separatorAt = /[\s,]+/y;
const equalsAt = /[ \t]*=[ \t]*/y;
/** token68 and the bare values that some registries send unquoted, URLs among them. */
const bareValueAt = /[^\s,"]+/y;
/** A quoted string, its end missing too. */
const quotedAt = /"((?:[^"\\]|\\[\s\S])*)"?/y;

/**
 * Reads all `WWW-Authenticate` fields of an answer, in order. Never fails: what cannot be read is skipped, since one
 * strange challenge must not hide a usable one beside it. Takes linear time.
 */
export function parseChallenges(fields: readonly string[]): Challenge[] {
  const challenges: Challenge[] = [];
  for (const field of fields) readField(field.slice(0, maxFieldLength), challenges);
  return challenges;
}

interface OpenChallenge extends Challenge {
  readonly parameters: Map<string, string>;
}

function readField(field: string, challenges: Challenge[]): void {
  const scanner = new Scanner(field);
  let open: OpenChallenge | undefined;
  while (!scanner.atEnd) {
    scanner.take(separatorAt);
    const word = scanner.take(tokenAt);
    if (word === undefined) {
      scanner.skipOne();
    } else if (open !== undefined && scanner.isParameter()) {
      const value = scanner.takeValue();
      if (!open.parameters.has(word.toLowerCase())) open.parameters.set(word.toLowerCase(), value);
    } else {
      if (challenges.length === maxChallenges) return;
      open = { scheme: word.toLowerCase(), parameters: new Map() };
      challenges.push(open);
      scanner.skipToken68();
    }
  }
}

class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#position >= this.#text.length;
  }

  take(pattern: RegExp): string | undefined {
    return this.#match(pattern)?.[0];
  }

  skipOne(): void {
    this.#position += 1;
  }

  isParameter(): boolean {
    equalsAt.lastIndex = this.#position;
    return equalsAt.test(this.#text);
  }

  takeValue(): string {
    this.#match(equalsAt);
    const quoted = this.#match(quotedAt);
    if (quoted !== undefined) return (quoted[1] ?? '').replaceAll(/\\([\s\S])/g, '$1');
    return this.take(bareValueAt) ?? '';
  }

  /** `Negotiate YII...==`: one bare word behind the scheme that is neither a parameter nor the next scheme. */
  skipToken68(): void {
    const start = this.#position;
    this.take(separatorAt);
    const separator = this.#text.slice(start, this.#position);
    const afterSeparator = this.#position;
    const word = separator.includes(',') ? undefined : this.take(/[A-Za-z0-9\-._~+/]+=*/y);
    const rest = this.#text.slice(this.#position);
    const standsAlone = word !== undefined && (rest === '' || /^[ \t]*,/.test(rest));
    if (!standsAlone) this.#position = afterSeparator;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#position = pattern.lastIndex;
    return match;
  }
}
