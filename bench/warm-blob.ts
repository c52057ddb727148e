import { mkdir, link } from 'node:fs/promises';
import path from 'node:path';
import { BlobUpstream, blobUrl } from './blob-upstream.ts';
import { interleave } from './contenders.ts';
import { EdgeProcess } from './edge-process.ts';
import { expectBody } from './fetch-digest.ts';
import { largeBlobBytes } from './large-blob.ts';
import { putLoad } from './load.ts';
import { DockerRegistry } from './peers/docker-registry.ts';
import { startFileServer } from './peers/file-server.ts';
import type { Question } from './question.ts';

const connections = 8;

/** Bytes a second of one large blob that is in the cache. */
export const warmBlob: Question = {
  name: 'warm-blob',
  async run({ folder, rounds, loadSeconds }) {
    await using upstream = await BlobUpstream.start(`${folder}/upstream`, { ownNetwork: false });
    const blob = await upstream.addBlob(largeBlobBytes);
    await using edge = await EdgeProcess.start(`${folder}/edge`, upstream.nginx.url);
    await using registry = await DockerRegistry.start({ folder: `${folder}/registry`, proxyOf: undefined });
    await registry.push('bench/image', blob);
    const files = `${folder}/files`;
    await mkdir(files);
    await link(blob.file, path.join(files, 'blob'));
    await using sendfile = await startFileServer({
      folder: `${folder}/sendfile`,
      files,
      serving: 'sendfile',
    });
    await using buffers = await startFileServer({ folder: `${folder}/buffers`, files, serving: 'buffers' });

    const rate = async (url: string): Promise<number> => {
      await expectBody(url, blob.digest);
      return (await putLoad({ url, connections, seconds: loadSeconds })).megabytesPerSecond;
    };
    await rate(blobUrl(edge.url, blob));
    await rate(blobUrl(registry.url, blob));
    const rates = await interleave(rounds, {
      edge: () => rate(blobUrl(edge.url, blob)),
      registry: () => rate(blobUrl(registry.url, blob)),
      sendfile: () => rate(`${sendfile.url}/blob`),
      buffers: () => rate(`${buffers.url}/blob`),
    });
    const bestOfNginx = rates.sendfile.map((value, round) => Math.max(value, rates.buffers[round] ?? 0));
    const row = { what: 'warm blob, 298 MiB', unit: 'MB/s', ours: rates.edge } as const;
    return [
      {
        ...row,
        peer: { name: 'docker-registry, own storage', values: rates.registry },
        bar: { kind: 'ratio-at-least', limit: 1.1 },
      },
      {
        ...row,
        peer: { name: 'nginx, better of two', values: bestOfNginx },
        bar: { kind: 'ratio-at-least', limit: 1 },
      },
    ];
  },
};
