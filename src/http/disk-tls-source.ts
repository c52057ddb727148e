import { readFile, stat } from 'node:fs/promises';
import type { ClientCertificates, TlsFiles, TlsSource } from './tls-files.ts';

export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly clients?: { readonly ca: string; readonly mode: ClientCertificates['mode'] };
}

/** A listener's certificate in files, which a renewal may replace or rewrite. */
export class DiskTlsSource implements TlsSource {
  readonly #paths: TlsPaths;

  constructor(paths: TlsPaths) {
    this.#paths = paths;
  }

  async read(): Promise<TlsFiles> {
    const { cert, key, clients } = this.#paths;
    return {
      cert: await readFile(cert, 'utf8'),
      key: await readFile(key, 'utf8'),
      ...(clients === undefined
        ? {}
        : { clients: { ca: await readFile(clients.ca, 'utf8'), mode: clients.mode } }),
    };
  }

  /** Links are followed: the files of a Kubernetes secret are links that are pointed elsewhere. */
  async stamp(): Promise<string> {
    const { cert, key, clients } = this.#paths;
    const paths = clients === undefined ? [cert, key] : [cert, key, clients.ca];
    const stats = await Promise.all(paths.map(async (path) => stat(path, { bigint: true })));
    return stats.map(({ ino, size, mtimeNs }) => `${ino}:${size}:${mtimeNs}`).join(' ');
  }
}
