import path from 'node:path';
import { ContainersConfig, type RegistryMirrors } from './containers-config.ts';
import { runCommand } from './run-command.ts';

/** Podman with storage of its own. It has no daemon: each command runs in a mount namespace that ends with it. */
export class Podman {
  readonly #folder: string;
  readonly #config: ContainersConfig;

  private constructor(folder: string, config: ContainersConfig) {
    this.#folder = folder;
    this.#config = config;
  }

  static async create(folder: string, registries: readonly RegistryMirrors[]): Promise<Podman> {
    return new Podman(folder, await ContainersConfig.write(folder, registries));
  }

  async podman(...args: string[]): Promise<string> {
    const flags = [
      `--root=${path.join(this.#folder, 'root')}`,
      `--runroot=${path.join(this.#folder, 'runroot')}`,
      `--tmpdir=${path.join(this.#folder, 'libpod')}`,
      '--storage-driver=vfs',
      '--cgroup-manager=cgroupfs',
      '--events-backend=none',
      // Podman's default, crun, refuses machines that mix the two versions of cgroups.
      '--runtime=runc',
    ];
    const { stdout } = await runCommand('unshare', ['--mount', 'podman', ...flags, ...args], {
      env: this.#config.env,
    });
    return stdout.trim();
  }

  async pull(image: string): Promise<void> {
    await this.podman('pull', '--quiet', `--signature-policy=${this.#config.policyFile}`, image);
  }

  run(image: string, ...command: string[]): Promise<string> {
    // By itself Podman raises both limits, which a machine that is a container itself may not allow.
    const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024'];
    const flags = ['--rm', '--network=host', '--pull=never', ...limits];
    return this.podman('run', ...flags, image, ...command);
  }

  async removeAll(): Promise<void> {
    await this.podman('rmi', '--all', '--force');
  }
}
