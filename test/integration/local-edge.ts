import { readFile } from 'node:fs/promises';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Writable } from 'node:stream';
import { stringify } from 'yaml';
import { loadEdgeConfig } from '../../config/load-edge-config.ts';
import { memoryConfigIo } from '../../config/memory-config-io.ts';
import { runEdge, type RunningEdge } from '../../edge/main.ts';
import { makeTempFolder, type TempFolder } from '../fakes/temp-folder.ts';
import { waitUntil } from '../programs/wait-until.ts';

export interface LocalEdgeOptions {
  /** Origins by registry name; the first is the default one. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** Fields for every upstream. */
  readonly upstream?: object;
  /** What else the configuration says. */
  readonly config?: object;
  /** What configuration finds in the files that it reads, by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const deaf = new Writable({ write: (_chunk, _encoding, done) => done() });

/** An edge in this process, on ports of its own and a folder of its own, asked over real connections. */
export class LocalEdge {
  readonly #edge: RunningEdge;
  readonly #folder: TempFolder;

  private constructor(edge: RunningEdge, folder: TempFolder) {
    this.#edge = edge;
    this.#folder = folder;
  }

  static async start({
    upstreams,
    upstream = {},
    config = {},
    files = {},
  }: LocalEdgeOptions): Promise<LocalEdge> {
    const folder = await makeTempFolder();
    const text = stringify({
      listen: '127.0.0.1:0',
      adminListen: '127.0.0.1:0',
      data: `${folder.path}/data`,
      upstreams: Object.entries(upstreams).map(([name, url]) => ({ name, url, ...upstream })),
      log: { level: 'silent', access: accessLog(folder) },
      limits: { drain: '1s' },
      ...config,
    });
    const io = memoryConfigIo({ files: { ...files, '/work/edge.yaml': text } });
    const settings = loadEdgeConfig({ configFile: '/work/edge.yaml', flags: {} }, io);
    const edge = await runEdge(settings, { stdout: deaf, stderr: deaf, version: '0.0.0' });
    return new LocalEdge(edge, folder);
  }

  get mirrorUrl(): string {
    return this.#edge.mirrorUrl;
  }

  get mirrorUrls(): readonly string[] {
    return this.#edge.mirrorUrls;
  }

  get adminUrl(): string {
    return this.#edge.adminUrl;
  }

  /** The path may name a whole URL, that of the admin listener for instance. */
  async ask(method: string, path: string, headers: Record<string, string> = {}): Promise<Reply> {
    const response = await this.open(method, path, headers);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.ask('GET', path, headers);
  }

  async head(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.ask('HEAD', path, headers);
  }

  /** As far as the head of the answer; the body is the caller's to read or to destroy. */
  async open(method: string, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = http.request(new URL(path, this.mirrorUrl), { method, headers, agent: false }, resolve);
    request.on('error', reject);
    request.end();
    return promise;
  }

  /** The samples of one metric on the admin listener, as they are written there. */
  async metric(name: string): Promise<string[]> {
    const { body } = await this.get(`${this.adminUrl}/metrics`);
    return body
      .toString()
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  }

  /** The first line of the access log that matches; lines are written after their answers. */
  async accessLine(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    return waitUntil(
      async () => {
        const text = await readFile(accessLog(this.#folder), 'utf8').catch(() => '');
        const lines = text.split('\n').filter((line) => line.endsWith('}'));
        return lines.map((line) => JSON.parse(line) as Record<string, unknown>).find(matches);
      },
      { what: 'a line in the access log', timeoutMs: 10_000 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#edge.stop();
    await this.#folder.remove();
  }
}

function accessLog(folder: TempFolder): string {
  return `${folder.path}/access.log`;
}
