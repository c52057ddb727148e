import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort } from './free-port.ts';
import { ProcessGroup } from './process-group.ts';

export interface EdgeOptions {
  /** Configuration and data lie here. */
  readonly folder: string;
  /** URLs by the registry host that image names carry; given by flag. The first is the default one. */
  readonly upstreams?: Readonly<Record<string, string>>;
  /** What else the configuration file says. */
  readonly config?: object;
  /** Variables beside those of the tests' own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What runs `edge ...`, another program than this tree's: its words, the first of which is the program. */
  readonly launcher?: readonly [string, ...string[]];
}

/** The launcher in this tree, unless WHERRY_BIN names another one: that of an installed package, for instance. */
export const launcher =
  process.env['WHERRY_BIN'] ?? fileURLToPath(new URL('../../bin/wherry', import.meta.url));

interface EdgeCommand {
  readonly launcher: EdgeOptions['launcher'] | undefined;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** `wherry edge` on a loopback port, which it keeps over `stop` and `resume`. */
export class Edge {
  readonly port: number;
  /** As clients name it, `127.0.0.1:<port>`. */
  readonly host: string;
  readonly url: string;
  readonly dataFolder: string;
  readonly #args: readonly string[];
  readonly #command: readonly [string, ...string[]];
  readonly #env: Readonly<Record<string, string>>;
  #process: ProcessGroup;

  private constructor(port: number, dataFolder: string, command: EdgeCommand) {
    const { launcher: words = [launcher], args, env } = command;
    this.port = port;
    this.dataFolder = dataFolder;
    this.#command = words;
    this.host = `127.0.0.1:${port}`;
    this.url = `http://${this.host}`;
    this.#args = args;
    this.#env = env;
    this.#process = this.#launch();
  }

  static async start(options: EdgeOptions): Promise<Edge> {
    await mkdir(options.folder, { recursive: true });
    const port = await freePort();
    const args = ['edge', '--listen', `127.0.0.1:${port}`, '--admin-listen', '127.0.0.1:0'];
    const dataFolder = path.join(options.folder, 'data');
    args.push('--data', dataFolder);
    for (const [name, url] of Object.entries(options.upstreams ?? {}))
      args.push('--upstream', `${name}=${url}`);
    if (options.config !== undefined) {
      const configFile = path.join(options.folder, 'edge.yaml');
      await writeFile(configFile, stringify(options.config));
      args.push('--config', configFile);
    }
    const edge = new Edge(port, dataFolder, { launcher: options.launcher, args, env: options.env ?? {} });
    try {
      await edge.#ready();
    } catch (error) {
      await edge.stop();
      throw error;
    }
    return edge;
  }

  get output(): string {
    return this.#process.output;
  }

  /** What the edge was started with, for a second one like it. */
  get args(): readonly string[] {
    return this.#args;
  }

  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** Ends it at once, with whatever it was doing. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process.stop();
  }

  /** Sends a signal and leaves it at that. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async resume(): Promise<void> {
    this.#process = this.#launch();
    await this.#ready();
  }

  #launch(): ProcessGroup {
    const [command, ...words] = this.#command;
    return ProcessGroup.start({
      name: 'wherry edge',
      command,
      args: [...words, ...this.#args],
      env: this.#env,
    });
  }

  /** It says where it listens, and then is ready within moments: it waits for no upstream. */
  async #ready(): Promise<void> {
    await this.#process.waitForOutput(new RegExp(`http://127\\.0\\.0\\.1:${this.port}`), 30_000);
    await this.#process.waitFor('200 from /readyz', 10_000, async () => {
      const response = await fetch(`${this.url}/readyz`);
      await response.arrayBuffer();
      return response.status === 200 ? true : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
