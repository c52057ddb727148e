import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyFileArtifact, foreignLayerImage, helmChart } from '../programs/artifacts.ts';
import { sha256, type ImageContent } from '../programs/image-content.ts';
import { PullThrough } from '../programs/pull-through.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { expectServed } from './expect-served.ts';

describeWithPrograms('artifacts other than images', { programs: ['docker-registry'] }, () => {
  const artifacts: Readonly<Record<string, ImageContent>> = {
    'team/marker:1': emptyFileArtifact(),
    'charts/ferry:1.2.3': helmChart(),
    'team/foreign:1': foreignLayerImage('https://example.com/layers/1'),
  };
  let site: PullThrough;

  beforeAll(async () => {
    site = await PullThrough.start({ label: 'artifacts', images: artifacts });
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  const cases = Object.entries(artifacts).flatMap(([name, content]) =>
    (['cold', 'warm', 'with the upstream away'] as const).map((state) => ({ name, content, state })),
  );

  test.each(cases.toSorted((a, b) => order(a.state) - order(b.state)))(
    'serves $name byte for byte, $state',
    async ({ name, content, state }) => {
      if (state === 'with the upstream away') await site.upstream.stop();
      const [repository, tag = ''] = name.split(':');
      await expectServed(`${site.edge.url}/v2/docker.io/${repository}`, tag, content);
    },
  );

  test('fetched each blob once, but perhaps the one without bytes', () => {
    const digests = Object.values(artifacts).flatMap(({ blobs }) => [...blobs.keys()]);
    const empty = sha256(new Uint8Array());
    const fetches = site.upstream.blobFetches;
    expect(fetches.get(empty) ?? 0).toBeLessThanOrEqual(1);
    expect(new Map(fetches).set(empty, 1)).toEqual(new Map(digests.map((digest) => [digest, 1])));
  });
});

function order(state: string): number {
  return ['cold', 'warm', 'with the upstream away'].indexOf(state);
}
