import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { findProgram, searchPath } from './system-program.ts';
import { waitUntil } from './wait-until.ts';

export interface ProcessGroupOptions {
  /** Stands in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /**
   * Gives the program a PID and a mount namespace of its own, as container engines need it: when it ends, however that
   * comes about, its containers and mounts are gone too.
   */
  readonly contained?: boolean;
}

const namespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Enough for the log of any program in a suite. */
const maxOutputCharacters = 32 * 1024 * 1024;

/** What no test must leave behind, even when the test process is ended in the middle. */
const running = new Set<ProcessGroup>();
process.once('exit', () => {
  for (const group of running) group.kill('SIGKILL');
});
// By itself the signal would end the process without the above.
process.once('SIGTERM', () => process.exit(143));

/** The system kills the program when this process is gone, even if it was killed itself. */
const bound: readonly string[] =
  findProgram('setpriv') === undefined ? [] : ['setpriv', '--pdeathsig=KILL', '--'];

/** A long-running program with everything that it starts, in a process group of its own. */
export class ProcessGroup {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #output = '';
  #ended: string | undefined;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const end = (reason: string): void => {
        this.#ended = reason;
        running.delete(this);
        resolve();
      };
      child.once('error', (error) => end(error.message));
      child.once('close', (code, signal) => end(signal ?? `code ${code}`));
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-maxOutputCharacters);
      });
    }
    running.add(this);
  }

  static start(options: ProcessGroupOptions): ProcessGroup {
    const walls = options.contained === true ? namespaces : [];
    const [command, ...args] = [...bound, ...walls, options.command, ...options.args];
    assert(command !== undefined);
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: searchPath, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return new ProcessGroup(options.name, child);
  }

  /** All that the program printed so far, standard output and error in the order they arrived. */
  get output(): string {
    return this.#output;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** The process id of the group's leader. */
  get pid(): number {
    assert(this.#child.pid !== undefined, `${this.name} did not start`);
    return this.#child.pid;
  }

  /** Waits for `probe` as `waitUntil` does, and fails at once, showing the output, when the program ends meanwhile. */
  async waitFor<Value>(
    what: string,
    timeoutMs: number,
    probe: () => Promise<Value | undefined> | Value | undefined,
  ): Promise<Value> {
    try {
      return await waitUntil(
        async () => {
          const value = await probe();
          if (value === undefined && this.#ended !== undefined) throw new Error(`it ended: ${this.#ended}`);
          return value;
        },
        { what, timeoutMs },
      );
    } catch (error) {
      throw new Error(`${this.name}: no ${what}\n${this.#output.slice(-4_000)}`, { cause: error });
    }
  }

  waitForOutput(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    return this.waitFor(`output like ${pattern}`, timeoutMs, () => pattern.exec(this.#output) ?? undefined);
  }

  /** Waits until something accepts connections on the loopback port. */
  async waitForPort(port: number, timeoutMs: number): Promise<void> {
    await this.waitFor(`listener on port ${port}`, timeoutMs, async () =>
      (await accepts(port)) ? true : undefined,
    );
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined || this.ended) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch (error) {
      // ESRCH: it went away between the look and the signal, which is what was wanted.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Asks the group to end, and kills it after `graceMs`. Returns when it is gone. */
  async stop(graceMs = 15_000): Promise<void> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
