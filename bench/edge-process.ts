import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort } from '../test/programs/free-port.ts';
import { ProcessGroup } from '../test/programs/process-group.ts';

const launcher = process.env['WHERRY_BIN'] ?? fileURLToPath(new URL('../bin/wherry', import.meta.url));

/**
 * An edge as it is shipped: nothing set but its folder, its one upstream, and that the access log goes to a file.
 * WHERRY_BIN names another launcher, that of an installed package for instance; WHERRY_BENCH_NODE_OPTIONS is passed on
 * to its Node, to take profiles.
 */
export class EdgeProcess {
  readonly url: string;
  readonly #process: ProcessGroup;

  private constructor(url: string, process: ProcessGroup) {
    this.url = url;
    this.#process = process;
  }

  static async start(folder: string, upstreamUrl: string): Promise<EdgeProcess> {
    const edge = await EdgeProcess.launch(folder, upstreamUrl);
    await edge.#process.waitForOutput(/wherry edge: mirror/, 30_000);
    return edge;
  }

  /** Does not wait for it to listen. */
  static async launch(folder: string, upstreamUrl: string): Promise<EdgeProcess> {
    await mkdir(folder, { recursive: true });
    const configFile = path.join(folder, 'edge.yaml');
    await writeFile(configFile, stringify({ log: { access: path.join(folder, 'access.log') } }));
    const port = await freePort();
    const args = ['edge', '--config', configFile, '--data', path.join(folder, 'data')];
    args.push('--listen', `127.0.0.1:${port}`, '--admin-listen', '127.0.0.1:0');
    args.push('--upstream', `docker.io=${upstreamUrl}`);
    const nodeOptions = process.env['WHERRY_BENCH_NODE_OPTIONS'];
    const env = nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions };
    const group = ProcessGroup.start({ name: 'wherry edge', command: launcher, args, env });
    return new EdgeProcess(`http://127.0.0.1:${port}`, group);
  }

  /** Resident memory now, and the most it ever was. */
  async memory(): Promise<{ megabytes: number; peakMegabytes: number }> {
    // The launcher becomes the edge itself: its process id stays.
    const status = await readFile(`/proc/${this.#process.pid}/status`, 'utf8');
    const megabytes = (field: string): number =>
      (Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024) / 1e6;
    return { megabytes: megabytes('VmRSS'), peakMegabytes: megabytes('VmHWM') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }
}
