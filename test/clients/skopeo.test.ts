import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256, type ImageContent } from '../programs/image-content.ts';
import { busyboxImage, multiPlatformImage, zstdImage } from '../programs/images.ts';
import { PullThrough } from '../programs/pull-through.ts';
import { Skopeo } from '../programs/skopeo.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { expectFetchedOnce } from './expect-served.ts';

const programs = ['skopeo', 'docker-registry', 'busybox'] as const;

describeWithPrograms('Skopeo through the edge', { programs }, () => {
  const images: Readonly<Record<string, ImageContent>> = {
    'library/oci:1': busyboxImage('oci', 'skopeo, OCI'),
    'library/schema2:1': busyboxImage('docker', 'skopeo, schema 2'),
    'team/index:1': multiPlatformImage('oci'),
    'team/list:1': multiPlatformImage('docker'),
    'team/zstd:1': zstdImage(),
  };
  let site: PullThrough;
  let skopeo: Skopeo;

  beforeAll(async () => {
    site = await PullThrough.start({ label: 'skopeo', images });
    skopeo = await Skopeo.create(await site.folder.folder('skopeo'));
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  const cases = Object.entries(images).map(([name, content], index) => {
    const [repository = '', tag = ''] = name.split(':');
    return { name, content, index, repository, tag };
  });

  test.each(cases)('inspects $name by tag and by digest', async ({ content, repository, tag }) => {
    const { bytes, digest } = content.manifest;
    const manifest = bytes.toString('utf8');
    expect(await skopeo.inspectRaw(`${site.edge.host}/docker.io/${repository}:${tag}`)).toBe(manifest);
    expect(await skopeo.inspectRaw(`${site.edge.host}/docker.io/${repository}@${digest}`)).toBe(manifest);
  });

  test.each(cases)('copies all of $name, byte for byte', async ({ name, content, index }) => {
    const folder = site.folder.file(`copy-${index}`);
    await skopeo.copyAll(`${site.edge.host}/docker.io/${name}`, `dir:${folder}`);
    expect(await digestsIn(folder)).toEqual(new Set([content.manifest.digest, ...partsOf(content)]));
  });

  test.each(cases)(
    'copies $name by digest while the upstream is away',
    async ({ content, index, repository }) => {
      await site.upstream.stop();
      const folder = site.folder.file(`away-${index}`);
      await skopeo.copyAll(
        `${site.edge.host}/docker.io/${repository}@${content.manifest.digest}`,
        `dir:${folder}`,
      );
      expect(await digestsIn(folder)).toEqual(new Set([content.manifest.digest, ...partsOf(content)]));
    },
  );

  test('fetched each layer that only one image has once', () => {
    for (const content of Object.values(images)) {
      if (content.children.length > 0) continue;
      expectFetchedOnce(site.upstream, { ...content, layers: content.layers.slice(1) });
    }
  });
});

function partsOf(content: ImageContent): string[] {
  return [...content.children.map(({ digest }) => digest), ...content.blobs.keys()];
}

/** What a `dir:` copy holds, one file for each manifest and blob, besides its file of the format's version. */
async function digestsIn(folder: string): Promise<Set<string>> {
  const files = (await readdir(folder)).filter((name) => name !== 'version');
  return new Set(await Promise.all(files.map(async (name) => sha256(await readFile(`${folder}/${name}`)))));
}
