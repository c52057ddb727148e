/** Where a setting stands in the file's tree: keys and positions in lists. */
export type KeyPath = readonly (string | number)[];

/** `upstreams[0].tls.ca`. */
export function formatKeyPath(path: KeyPath): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

/** One thing that is wrong with the configuration. */
export interface Problem {
  /** The file and line, the flag or the variable that the setting comes from, as far as that is known. */
  readonly origin: string | undefined;
  /** `undefined` where the trouble is with a source as a whole. */
  readonly path: KeyPath | undefined;
  readonly message: string;
}

export function formatProblem({ origin, path, message }: Problem): string {
  return [origin, path === undefined || path.length === 0 ? undefined : formatKeyPath(path), message]
    .filter((part) => part !== undefined)
    .join(': ');
}

/** Carries every problem that was found; the message is a line for each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => formatProblem(problem)).join('\n'));
    this.problems = problems;
  }
}

/** Takes down what is wrong at a key. */
export type Report = (path: KeyPath, message: string) => void;
