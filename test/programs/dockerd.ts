import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ProcessGroup } from './process-group.ts';
import { runCommand } from './run-command.ts';

export interface DockerdOptions {
  readonly folder: string;
  /** URLs, asked in this order before Docker Hub. */
  readonly registryMirrors?: readonly string[];
}

const deadProxy = 'http://127.0.0.1:1';

/** A Docker Engine of its own, without any network of its own: containers run with `--network host`. */
export class Dockerd {
  readonly #process: ProcessGroup;
  readonly #socket: string;
  readonly #folder: string;

  private constructor(process: ProcessGroup, folder: string, socket: string) {
    this.#process = process;
    this.#folder = folder;
    this.#socket = socket;
  }

  static async start(options: DockerdOptions): Promise<Dockerd> {
    const { folder } = options;
    await mkdir(path.join(folder, 'client'), { recursive: true });
    const configFile = path.join(folder, 'daemon.json');
    const mirrors = options.registryMirrors ?? [];
    await writeFile(configFile, JSON.stringify({ 'registry-mirrors': mirrors }));
    const socket = `unix://${path.join(folder, 'docker.sock')}`;
    const process = ProcessGroup.start({
      name: 'dockerd',
      command: 'dockerd',
      contained: true,
      // Docker Hub stands behind the mirrors; were it in reach, it would hide that a mirror failed.
      env: { HTTPS_PROXY: deadProxy, HTTP_PROXY: deadProxy, NO_PROXY: '127.0.0.1' },
      args: [
        `--config-file=${configFile}`,
        `--host=${socket}`,
        `--data-root=${path.join(folder, 'data')}`,
        `--exec-root=${path.join(folder, 'exec')}`,
        `--pidfile=${path.join(folder, 'docker.pid')}`,
        '--bridge=none',
        '--iptables=false',
        '--ip6tables=false',
        '--ip-forward=false',
        '--ip-masq=false',
        '--userland-proxy=false',
      ],
    });
    await process.waitForOutput(/API listen on/, 60_000);
    return new Dockerd(process, folder, socket);
  }

  /** Runs the `docker` command and returns what it prints on standard output, without white space around it. */
  async docker(...args: string[]): Promise<string> {
    const { stdout } = await runCommand('docker', ['--host', this.#socket, ...args], {
      env: {
        DOCKER_CONFIG: path.join(this.#folder, 'client'),
        DOCKER_CONTEXT: '',
        DOCKER_HOST: '',
        // The builder inside of the engine: the other one is a program of its own, which may be missing.
        DOCKER_BUILDKIT: '0',
      },
    });
    return stdout.trim();
  }

  /** What a new container of `image` prints. */
  run(image: string, ...command: string[]): Promise<string> {
    return this.docker('run', '--rm', '--network=host', '--pull=never', image, ...command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }
}
