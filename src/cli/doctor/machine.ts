export interface DiskState {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeInodes: number;
  /** 0 where the file system counts none. */
  readonly totalInodes: number;
}

export interface HttpReply {
  readonly status: number;
  /** From the `Date` field, in milliseconds since the epoch; `undefined` where there is none. */
  readonly dateMs: number | undefined;
}

export interface AskOptions {
  /** PEM text of the authorities to trust instead of the well-known ones. */
  readonly ca?: string;
  readonly insecure?: boolean;
}

/** What the doctor looks at. Failures are the system's errors, with their `code`. */
export interface Machine {
  nowMs(): number;
  /** Of the folder, or of the nearest one above it that is there. */
  disk(path: string): Promise<DiskState>;
  /** Writes a small file, syncs, renames and removes it; makes the folder when it is absent. */
  tryWriting(folder: string): Promise<void>;
  /** Who has the data folder; `undefined` when it is free. */
  holder(folder: string): Promise<string | undefined>;
  /** Binds the port for a moment. Fails as `listen` does. */
  tryListening(host: string, port: number): Promise<void>;
  /** The program that listens there, as far as this user may see it. */
  listenerOf(port: number): Promise<string | undefined>;
  /** The addresses of a host. */
  resolve(host: string): Promise<readonly string[]>;
  /** One GET without following redirects. */
  ask(url: string, options: AskOptions): Promise<HttpReply>;
  /** Text of a file; `undefined` when it is absent. */
  read(path: string): Promise<string | undefined>;
  /** Names in a folder, none when it is absent. */
  list(folder: string): Promise<readonly string[]>;
  /** The host's own names and addresses, loopback ones included. */
  ownHosts(): readonly string[];
}

/** The system's code of a failure, else its message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code === undefined || error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
