import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ProcessGroup } from './process-group.ts';
import { runCommand } from './run-command.ts';

export interface ContainerdOptions {
  readonly folder: string;
  /** Content of `hosts.toml` by the registry host that it is for; `_default` is for all others. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** A containerd of its own, driven by `ctr`. */
export class Containerd {
  readonly #process: ProcessGroup;
  readonly #socket: string;
  readonly #folder: string;
  #containers = 0;

  private constructor(process: ProcessGroup, folder: string, socket: string) {
    this.#process = process;
    this.#folder = folder;
    this.#socket = socket;
  }

  static async start(options: ContainerdOptions): Promise<Containerd> {
    const { folder } = options;
    for (const [host, content] of Object.entries(options.hosts)) {
      await mkdir(path.join(folder, 'certs.d', host), { recursive: true });
      await writeFile(path.join(folder, 'certs.d', host, 'hosts.toml'), content);
    }
    const socket = path.join(folder, 'containerd.sock');
    const configFile = path.join(folder, 'config.toml');
    await writeFile(configFile, configuration(folder, socket));
    const process = ProcessGroup.start({
      name: 'containerd',
      command: 'containerd',
      contained: true,
      args: ['--config', configFile],
    });
    await process.waitForOutput(/containerd successfully booted/, 60_000);
    return new Containerd(process, folder, socket);
  }

  async ctr(...args: string[]): Promise<string> {
    const { stdout } = await runCommand('ctr', ['--address', this.#socket, ...args]);
    return stdout.trim();
  }

  async pull(image: string, ...flags: string[]): Promise<void> {
    await this.ctr('images', 'pull', '--hosts-dir', path.join(this.#folder, 'certs.d'), ...flags, image);
  }

  /** Removes the image and, at once, all content that only it needed. */
  async remove(image: string): Promise<void> {
    await this.ctr('images', 'remove', '--sync', image);
  }

  /** What a new container of `image` prints; without a command, what the image's own prints. */
  run(image: string, ...command: string[]): Promise<string> {
    this.#containers += 1;
    const fifos = ['--fifo-dir', path.join(this.#folder, 'fifo')];
    return this.ctr('run', '--rm', '--net-host', ...fifos, image, `c${this.#containers}`, ...command);
  }

  /** The bytes of one piece of content, as text. */
  content(digest: string): Promise<string> {
    return this.ctr('content', 'get', digest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }
}

/** Without the plugins of Kubernetes and of other file systems: they only make it start later. */
function configuration(folder: string, socket: string): string {
  return `version = 2
root = ${JSON.stringify(path.join(folder, 'root'))}
state = ${JSON.stringify(path.join(folder, 'state'))}
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = ${JSON.stringify(socket)}
[ttrpc]
  address = ${JSON.stringify(`${socket}.ttrpc`)}
`;
}
