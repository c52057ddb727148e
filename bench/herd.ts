import assert from 'node:assert/strict';
import { BlobUpstream, blobUrl } from './blob-upstream.ts';
import { interleave } from './contenders.ts';
import { EdgeProcess } from './edge-process.ts';
import { sendHerd } from './herd-clients.ts';
import { DockerRegistry } from './peers/docker-registry.ts';
import type { Question } from './question.ts';
import type { SampleBlob } from './sample-blob.ts';

const clients = 500;
const blobBytes = 10 * 1024 * 1024;

/** What many clients that ask at once for a blob that is not in the cache cost the upstream. */
export const herd: Question = {
  name: 'herd',
  async run({ folder, rounds, note }) {
    await using upstream = await BlobUpstream.start(`${folder}/upstream`, { ownNetwork: false });
    const { url } = upstream.nginx;
    await using edge = await EdgeProcess.start(`${folder}/edge`, url);
    await using proxy = await DockerRegistry.start({ folder: `${folder}/proxy`, proxyOf: url });

    const cost = async (baseUrl: string): Promise<{ gets: number; copies: number }> => {
      const blob: SampleBlob = await upstream.addBlob(blobBytes);
      const wrong = await sendHerd({ url: blobUrl(baseUrl, blob), clients, digest: blob.digest });
      if (baseUrl === edge.url) assert.equal(wrong, 0, `${wrong} of ${clients} clients got other bytes`);
      else if (wrong > 0) note(`docker-registry failed ${wrong} of ${clients} clients`);
      const { count, bytes } = await upstream.fetches(blob);
      return { gets: count, copies: bytes / blob.size };
    };
    const costs = await interleave(rounds, { edge: () => cost(edge.url), proxy: () => cost(proxy.url) });
    const name = 'docker-registry proxy';
    return [
      {
        what: `herd of ${clients} clients, upstream requests`,
        unit: 'GETs',
        ours: costs.edge.map(({ gets }) => gets),
        peer: { name, values: costs.proxy.map(({ gets }) => gets) },
        bar: { kind: 'at-most', limit: 1 },
      },
      {
        what: 'its upstream bytes, in sizes of the blob',
        unit: 'x',
        ours: costs.edge.map(({ copies }) => copies),
        peer: { name, values: costs.proxy.map(({ copies }) => copies) },
        bar: { kind: 'at-most', limit: 1.02 },
      },
    ];
  },
};
