import { BlobUpstream } from './blob-upstream.ts';
import { ColdRounds } from './cold-rounds.ts';
import { interleave } from './contenders.ts';
import { EdgeProcess } from './edge-process.ts';
import { largeBlobBytes } from './large-blob.ts';
import type { Question } from './question.ts';
import { shapeLink } from './shaped-link.ts';

const linkMegabits = 1_000;

/** What the edge adds to a download that it has to fetch, behind a link such as sites have. */
export const coldBlobShaped: Question = {
  name: 'cold-blob-shaped',
  async run({ folder, rounds }) {
    await using upstream = await BlobUpstream.start(`${folder}/upstream`, { ownNetwork: true });
    const { farAddress } = await shapeLink(upstream.nginx.process.pid, linkMegabits);
    const direct = `http://${farAddress}:${upstream.nginx.port}`;
    await using edge = await EdgeProcess.start(`${folder}/edge`, direct);
    const cold = new ColdRounds(upstream, largeBlobBytes);
    const times = await interleave(rounds, await cold.contenders({ edge: edge.url, direct }));
    const seconds = (contender: keyof typeof times): number[] =>
      times[contender].map(({ totalSeconds }) => totalSeconds);
    const firstByte = (contender: keyof typeof times): number[] =>
      times[contender].map(({ firstByteMs }) => firstByteMs);
    return [
      {
        what: 'cold blob, 298 MiB, 1 Gbit/s',
        unit: 's',
        ours: seconds('edge'),
        peer: { name: 'the upstream itself', values: seconds('direct') },
        bar: { kind: 'ratio-at-most', limit: 1.05 },
      },
      {
        what: 'its first byte',
        unit: 'ms',
        ours: firstByte('edge'),
        peer: { name: 'the upstream itself', values: firstByte('direct') },
        bar: { kind: 'difference-at-most', limit: 5 },
      },
    ];
  },
};
