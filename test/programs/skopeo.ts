import { ContainersConfig, type RegistryMirrors } from './containers-config.ts';
import { runCommand } from './run-command.ts';

/** Skopeo, with no setting of the machine's; registries are spoken to over plain HTTP. */
export class Skopeo {
  readonly #config: ContainersConfig;

  private constructor(config: ContainersConfig) {
    this.#config = config;
  }

  static async create(folder: string, registries: readonly RegistryMirrors[] = []): Promise<Skopeo> {
    return new Skopeo(await ContainersConfig.write(folder, registries));
  }

  async skopeo(...args: string[]): Promise<string> {
    const flags = [`--policy=${this.#config.policyFile}`, `--tmpdir=${this.#config.env['TMPDIR'] ?? ''}`];
    const { stdout } = await runCommand('skopeo', [...flags, ...args], { env: this.#config.env });
    return stdout;
  }

  /** The manifest as it is, byte for byte. `name` is `host/repository` and a tag or digest. */
  inspectRaw(name: string): Promise<string> {
    return this.skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`);
  }

  /** Copies an image, and all platforms of an index, without changing anything, to an OCI or plain folder. */
  async copyAll(name: string, destination: string): Promise<void> {
    const unchanged = ['--all', '--preserve-digests', '--src-tls-verify=false'];
    await this.skopeo('copy', '--quiet', ...unchanged, `docker://${name}`, destination);
  }
}
