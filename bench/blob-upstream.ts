import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Nginx } from './peers/nginx.ts';
import { writeSampleBlob, type SampleBlob } from './sample-blob.ts';

/** An upstream that has blobs only and is as fast as files can be served: nginx under the paths of a registry. */
export class BlobUpstream {
  readonly nginx: Nginx;
  readonly #folder: string;

  private constructor(nginx: Nginx, folder: string) {
    this.nginx = nginx;
    this.#folder = folder;
  }

  static async start(folder: string, { ownNetwork }: { ownNetwork: boolean }): Promise<BlobUpstream> {
    const server = `    sendfile on;
    default_type application/octet-stream;
    location = /v2/ { return 200 '{}'; }
    location ~ ^/v2/bench/image/blobs/(?<digest>sha256:[0-9a-f]+)$ {
      root ${folder}/blobs;
      try_files /$digest =404;
      add_header Docker-Content-Digest $digest;
    }`;
    const nginx = await Nginx.start({ folder, server, accessLog: true, ownNetwork });
    return new BlobUpstream(nginx, folder);
  }

  addBlob(size: number): Promise<SampleBlob> {
    return writeSampleBlob(path.join(this.#folder, 'blobs'), size);
  }

  /** How often bytes of a blob were asked for, and how many were sent. */
  async fetches(blob: SampleBlob): Promise<{ count: number; bytes: number }> {
    const lines = (await readFile(path.join(this.#folder, 'access.log'), 'utf8')).split('\n');
    const gets = lines.filter((line) => line.startsWith('GET 2') && line.endsWith(blob.digest));
    const bytes = gets.reduce((sum, line) => sum + Number(line.split(' ')[2]), 0);
    return { count: gets.length, bytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nginx[Symbol.asyncDispose]();
  }
}

export function blobUrl(baseUrl: string, blob: SampleBlob): string {
  return `${baseUrl}/v2/bench/image/blobs/${blob.digest}`;
}
