import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { IssuedCertificate } from './certificate-authority.ts';
import { freePort } from './free-port.ts';
import type { ImageContent } from './image-content.ts';
import { ProcessGroup } from './process-group.ts';
import { pushContent } from './push-content.ts';
import { runCommand } from './run-command.ts';

export type RegistryAuth =
  | { readonly kind: 'htpasswd'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'token';
      readonly realm: string;
      readonly service: string;
      readonly issuer: string;
      /** PEM file of what signs the tokens, or of a CA above it. */
      readonly rootCertificateFile: string;
    };

export interface RegistryOptions {
  /** Configuration and storage lie here; a registry started later over the same folder has the same content. */
  readonly folder: string;
  readonly auth?: RegistryAuth;
  readonly tls?: IssuedCertificate;
  /** URL of the registry that this one fetches from and caches. */
  readonly proxyOf?: string;
}

/** A line of the registry's access log. */
export interface LoggedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly status: number;
  readonly bodyBytes: number;
  readonly userAgent: string;
}

const accessLine = /"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d+) (\d+) "[^"]*" "([^"]*)"/g;

/** Debian's docker-registry (distribution 2.8) on a loopback port, which it keeps over `stop` and `resume`. */
export class Registry {
  readonly port: number;
  readonly host: string;
  readonly url: string;
  readonly #configFile: string;
  #process: ProcessGroup;
  /** Access logs of earlier runs. */
  #earlierOutput = '';

  private constructor(port: number, scheme: string, configFile: string) {
    this.port = port;
    this.host = `127.0.0.1:${port}`;
    this.url = `${scheme}://${this.host}`;
    this.#configFile = configFile;
    this.#process = this.#launch();
  }

  static async start(options: RegistryOptions): Promise<Registry> {
    await mkdir(options.folder, { recursive: true });
    const port = await freePort();
    const configFile = path.join(options.folder, 'config.yml');
    await writeFile(configFile, stringify(await configuration(options, port)));
    const registry = new Registry(port, options.tls === undefined ? 'http' : 'https', configFile);
    await registry.#process.waitForPort(port, 20_000);
    return registry;
  }

  /** Stores `content` under `name`, `repository:tag`. Only where neither credentials nor a private CA are needed. */
  async push(name: string, content: ImageContent): Promise<void> {
    await pushContent(this.url, name, content);
  }

  get running(): boolean {
    return !this.#process.ended;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  async resume(): Promise<void> {
    this.#earlierOutput += this.#process.output;
    this.#process = this.#launch();
    await this.#process.waitForPort(this.port, 20_000);
  }

  /** All requests that it answered, oldest first. */
  get requests(): LoggedRequest[] {
    const lines = (this.#earlierOutput + this.#process.output).matchAll(accessLine);
    return Array.from(lines, ([, method = '', path = '', status, bodyBytes, userAgent = '']) => ({
      method,
      path,
      status: Number(status),
      bodyBytes: Number(bodyBytes),
      userAgent,
    }));
  }

  /** How often each blob's bytes were asked for with success, by digest. */
  get blobFetches(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { method, path, status } of this.requests) {
      const digest = /\/blobs\/(sha256:[0-9a-f]+)/.exec(path)?.[1];
      if (method !== 'GET' || status >= 300 || digest === undefined) continue;
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
    }
    return counts;
  }

  #launch(): ProcessGroup {
    return ProcessGroup.start({
      name: 'docker-registry',
      command: 'docker-registry',
      args: ['serve', this.#configFile],
      env: { OTEL_TRACES_EXPORTER: 'none' },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function configuration(options: RegistryOptions, port: number): Promise<object> {
  const { tls, proxyOf } = options;
  const certificate = tls === undefined ? {} : { certificate: tls.certificateFile, key: tls.keyFile };
  return {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: path.join(options.folder, 'storage') },
      delete: { enabled: true },
    },
    http: { addr: `127.0.0.1:${port}`, secret: 'shared by no one', tls: certificate },
    validation: { manifests: { urls: { allow: ['^https?://'] } } },
    ...(proxyOf === undefined ? {} : { proxy: { remoteurl: proxyOf } }),
    ...(options.auth === undefined ? {} : { auth: await authentication(options.auth, options.folder) }),
  };
}

async function authentication(auth: RegistryAuth, folder: string): Promise<object> {
  if (auth.kind === 'token') {
    const { realm, service, issuer, rootCertificateFile } = auth;
    return { token: { realm, service, issuer, rootcertbundle: rootCertificateFile } };
  }
  const file = path.join(folder, 'htpasswd');
  const { stdout } = await runCommand('htpasswd', ['-Bbn', auth.username, auth.password]);
  await writeFile(file, stdout);
  return { htpasswd: { realm: 'wherry tests', path: file } };
}
