import path from 'node:path';
import { ContainersConfig, type RegistryMirrors } from './containers-config.ts';
import { runCommand } from './run-command.ts';

/** Buildah with storage of its own; each command runs in a mount namespace that ends with it. */
export class Buildah {
  readonly #folder: string;
  readonly #config: ContainersConfig;

  private constructor(folder: string, config: ContainersConfig) {
    this.#folder = folder;
    this.#config = config;
  }

  static async create(folder: string, registries: readonly RegistryMirrors[]): Promise<Buildah> {
    return new Buildah(folder, await ContainersConfig.write(folder, registries));
  }

  async buildah(...args: string[]): Promise<string> {
    const flags = [
      `--root=${path.join(this.#folder, 'root')}`,
      `--runroot=${path.join(this.#folder, 'runroot')}`,
      '--storage-driver=vfs',
    ];
    const { stdout } = await runCommand('unshare', ['--mount', 'buildah', ...flags, ...args], {
      env: this.#config.env,
    });
    return stdout.trim();
  }

  /** Pulls `image`, makes a working container of it, and returns that one's name. */
  from(image: string): Promise<string> {
    const policy = `--signature-policy=${this.#config.policyFile}`;
    return this.buildah('from', '--quiet', '--pull-always', policy, image);
  }

  /** What a command in a working container prints. */
  run(container: string, ...command: string[]): Promise<string> {
    return this.buildah('run', '--isolation=chroot', container, '--', ...command);
  }

  async removeAll(): Promise<void> {
    await this.buildah('rm', '--all');
    await this.buildah('rmi', '--all', '--force');
  }
}
