import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface RegistryMirrors {
  /** What image names start with. */
  readonly prefix: string;
  /** What stands for the prefix at the registry that is asked last. */
  readonly location: string;
  /** What stands for the prefix at those asked before, in this order: `edge:5000/docker.io`. */
  readonly mirrors: readonly string[];
}

/** The files that Podman, Buildah and Skopeo share (containers-registries.conf(5), containers-policy.json(5)). */
export class ContainersConfig {
  readonly registriesFile: string;
  readonly policyFile: string;
  /** Keeps the machine's own settings and credentials out. */
  readonly env: Readonly<Record<string, string>>;

  private constructor(folder: string) {
    this.registriesFile = path.join(folder, 'registries.conf');
    this.policyFile = path.join(folder, 'policy.json');
    this.env = {
      CONTAINERS_REGISTRIES_CONF: this.registriesFile,
      CONTAINERS_CONF: path.join(folder, 'containers.conf'),
      REGISTRY_AUTH_FILE: path.join(folder, 'auth.json'),
      HOME: folder,
      XDG_RUNTIME_DIR: path.join(folder, 'runtime'),
      TMPDIR: path.join(folder, 'tmp'),
    };
  }

  /** Every location is plain HTTP. */
  static async write(folder: string, registries: readonly RegistryMirrors[] = []): Promise<ContainersConfig> {
    const config = new ContainersConfig(folder);
    await mkdir(path.join(folder, 'runtime'), { recursive: true, mode: 0o700 });
    await mkdir(path.join(folder, 'tmp'), { recursive: true });
    await writeFile(config.registriesFile, registries.map(registryTable).join('\n'));
    await writeFile(config.policyFile, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
    await writeFile(path.join(folder, 'containers.conf'), '');
    await writeFile(path.join(folder, 'auth.json'), '{}');
    return config;
  }
}

function registryTable({ prefix, location, mirrors }: RegistryMirrors): string {
  const mirrorTables = mirrors.map(
    (mirror) => `[[registry.mirror]]\nlocation = ${JSON.stringify(mirror)}\ninsecure = true\n`,
  );
  const table = `[[registry]]\nprefix = ${JSON.stringify(prefix)}\nlocation = ${JSON.stringify(location)}\ninsecure = true\n`;
  return [table, ...mirrorTables].join('\n');
}
