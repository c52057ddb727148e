import { BlobUpstream } from './blob-upstream.ts';
import { ColdRounds } from './cold-rounds.ts';
import { interleave } from './contenders.ts';
import { EdgeProcess } from './edge-process.ts';
import { largeBlobBytes } from './large-blob.ts';
import { DockerRegistry } from './peers/docker-registry.ts';
import type { Question } from './question.ts';

/** Seconds for a large blob that is not in the cache, with an upstream as near and fast as can be. */
export const coldBlob: Question = {
  name: 'cold-blob',
  async run({ folder, rounds }) {
    await using upstream = await BlobUpstream.start(`${folder}/upstream`, { ownNetwork: false });
    const { url } = upstream.nginx;
    await using edge = await EdgeProcess.start(`${folder}/edge`, url);
    await using proxy = await DockerRegistry.start({ folder: `${folder}/proxy`, proxyOf: url });
    const cold = new ColdRounds(upstream, largeBlobBytes);
    const urls = { edge: edge.url, proxy: proxy.url, direct: url };
    const times = await interleave(rounds, await cold.contenders(urls));
    const seconds = (contender: keyof typeof times): number[] =>
      times[contender].map(({ totalSeconds }) => totalSeconds);
    const row = { what: 'cold blob, 298 MiB, loopback', unit: 's', ours: seconds('edge') } as const;
    return [
      {
        ...row,
        peer: { name: 'docker-registry proxy', values: seconds('proxy') },
        bar: { kind: 'ratio-at-most', limit: 1 },
      },
      { ...row, peer: { name: 'the upstream itself', values: seconds('direct') }, bar: undefined },
    ];
  },
};
