import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pushContent } from '../test/programs/push-content.ts';
import type { Comparison } from './comparison.ts';
import { interleave } from './contenders.ts';
import { EdgeProcess } from './edge-process.ts';
import { expectBody } from './fetch-digest.ts';
import { putLoad } from './load.ts';
import { DockerRegistry } from './peers/docker-registry.ts';
import { startFileServer } from './peers/file-server.ts';
import type { BenchRun } from './question.ts';
import { sampleImage } from './sample-image.ts';

const connections = 16;
const repository = 'bench/image';

export interface WarmManifestOptions {
  readonly by: 'tag' | 'digest';
  readonly leastOfRegistry: number;
  readonly leastOfNginx: number;
}

/** Requests a second for the manifest of an image that was pulled before, blobs and all. */
export async function measureWarmManifest(
  { folder, rounds, loadSeconds }: BenchRun,
  { by, leastOfRegistry, leastOfNginx }: WarmManifestOptions,
): Promise<readonly Comparison[]> {
  const image = sampleImage();
  const { manifest } = image;
  await using upstream = await DockerRegistry.start({ folder: `${folder}/upstream`, proxyOf: undefined });
  await pushContent(upstream.url, `${repository}:latest`, image);
  await using edge = await EdgeProcess.start(`${folder}/edge`, upstream.url);
  await using proxy = await DockerRegistry.start({ folder: `${folder}/proxy`, proxyOf: upstream.url });
  const files = `${folder}/files`;
  await mkdir(files, { recursive: true });
  await writeFile(path.join(files, 'manifest'), manifest.bytes);
  await using nginx = await startFileServer({ folder: `${folder}/nginx`, files, serving: 'sendfile' });

  const manifestPath = `/v2/${repository}/manifests/${by === 'tag' ? 'latest' : manifest.digest}`;
  const headers = { Accept: manifest.mediaType };
  const rate = async (url: string): Promise<number> => {
    await expectBody(url, manifest.digest, headers);
    return (await putLoad({ url, connections, seconds: loadSeconds, headers })).requestsPerSecond;
  };
  for (const { url } of [edge, proxy]) {
    for (const digest of image.blobs.keys()) {
      await expectBody(`${url}/v2/${repository}/blobs/${digest}`, digest);
    }
    // Once under load before it counts: compilers that work while the program runs get as warm as it does in service.
    await rate(url + manifestPath);
  }
  const rates = await interleave(rounds, {
    edge: () => rate(edge.url + manifestPath),
    proxy: () => rate(proxy.url + manifestPath),
    nginx: () => rate(`${nginx.url}/manifest`),
  });
  const what = `warm manifest by ${by}`;
  return [
    {
      what,
      unit: 'req/s',
      ours: rates.edge,
      peer: { name: 'docker-registry proxy', values: rates.proxy },
      bar: { kind: 'ratio-at-least', limit: leastOfRegistry },
    },
    {
      what,
      unit: 'req/s',
      ours: rates.edge,
      peer: { name: 'nginx, a file', values: rates.nginx },
      bar: { kind: 'ratio-at-least', limit: leastOfNginx },
    },
  ];
}
