import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../test/programs/free-port.ts';
import { ProcessGroup } from '../../test/programs/process-group.ts';
import { runCommand } from '../../test/programs/run-command.ts';

export interface DockerRegistryOptions {
  readonly folder: string;
  /** URL of the registry that it is a pull-through cache of; `undefined` for a registry of its own. */
  readonly proxyOf: string | undefined;
}

/**
 * Debian's docker-registry (distribution 2.8) with the storage settings of its package. It logs nothing but errors, which
 * is to its advantage.
 */
export class DockerRegistry {
  readonly url: string;
  readonly #process: ProcessGroup;

  private constructor(url: string, process: ProcessGroup) {
    this.url = url;
    this.#process = process;
  }

  static async start({ folder, proxyOf }: DockerRegistryOptions): Promise<DockerRegistry> {
    await mkdir(folder, { recursive: true });
    const port = await freePort();
    const configFile = path.join(folder, 'config.yml');
    await writeFile(
      configFile,
      stringify({
        version: '0.1',
        log: { level: 'error', accesslog: { disabled: true } },
        storage: {
          cache: { blobdescriptor: 'inmemory' },
          filesystem: { rootdirectory: path.join(folder, 'storage'), maxthreads: 1000 },
          delete: { enabled: true },
        },
        http: { addr: `127.0.0.1:${port}`, secret: 'shared by no one' },
        ...(proxyOf === undefined ? {} : { proxy: { remoteurl: proxyOf } }),
      }),
    );
    const group = ProcessGroup.start({
      name: 'docker-registry',
      command: 'docker-registry',
      args: ['serve', configFile],
      env: { OTEL_TRACES_EXPORTER: 'none' },
    });
    await group.waitForPort(port, 20_000);
    return new DockerRegistry(`http://127.0.0.1:${port}`, group);
  }

  /** Uploads a blob from a file (distribution-spec: POST, then PUT with all the bytes). */
  async push(repository: string, { digest, file }: { digest: string; file: string }): Promise<void> {
    const opened = await fetch(`${this.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const location = new URL(opened.headers.get('location') ?? '', this.url);
    location.searchParams.set('digest', digest);
    await runCommand('curl', ['-fsS', '-o', '/dev/null', '-T', file, location.href]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }
}
