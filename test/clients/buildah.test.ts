import { afterAll, beforeAll, expect, test } from 'vitest';
import { Buildah } from '../programs/buildah.ts';
import { busyboxImage, largeImage, multiPlatformImage } from '../programs/images.ts';
import { PullThrough } from '../programs/pull-through.ts';
import { Registry } from '../programs/registry.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { expectFetchedOnce, expectServed } from './expect-served.ts';

const programs = ['buildah', 'unshare', 'docker-registry', 'busybox'] as const;

describeWithPrograms('Buildah with registries.conf', { programs, root: true }, () => {
  const images = {
    'library/busybox:latest': busyboxImage('oci', 'buildah'),
    'library/multi:1': multiPlatformImage('docker'),
    'team/large:1': largeImage({ format: 'oci', layers: 3, layerBytes: 10_000_000 }),
    'team/half:1': busyboxImage('docker', 'buildah, half in the cache'),
  };
  const cached = ['library/busybox:latest', 'library/multi:1', 'team/large:1'] as const;
  let site: PullThrough;
  let secondMirror: Registry;
  let buildah: Buildah;

  beforeAll(async () => {
    const config = { freshness: [{ tags: ['*'], fresh: '0s' }] };
    site = await PullThrough.start({ label: 'buildah', images, config });
    secondMirror = site.use(await Registry.start({ folder: site.folder.file('second-mirror') }));
    await secondMirror.push('copies/team/half:1', images['team/half:1']);
    buildah = await Buildah.create(await site.folder.folder('buildah'), [
      {
        prefix: 'docker.io',
        location: '127.0.0.1:1',
        mirrors: [`${site.edge.host}/docker.io`, `${secondMirror.host}/copies`],
      },
    ]);
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  test.each(cached)('starts a working container from %s', async (name) => {
    const container = await buildah.from(`docker.io/${name}`);
    expect(await buildah.run(container, 'echo', 'built')).toBe('built');
  });

  test('fetches each layer once from the upstream', () => {
    const layers = images['team/large:1'].layers.slice(1);
    expectFetchedOnce(site.upstream, { ...images['team/large:1'], layers });
  });

  test('goes on to the second mirror where the cache lacks a layer and the upstream is away', async () => {
    const repositoryUrl = `${site.edge.url}/v2/docker.io/team/half`;
    const { manifest, layers } = images['team/half:1'];
    const accept = manifest.mediaType;
    for (const part of ['manifests/1', `blobs/${layers.at(-1)}`]) {
      expect((await fetch(`${repositoryUrl}/${part}`, { headers: { accept } })).status, part).toBe(200);
    }
    await site.upstream.stop();
    const container = await buildah.from('docker.io/team/half:1');
    expect(await buildah.run(container, 'cat', '/label')).toBe('buildah, half in the cache');
    expect(secondMirror.blobFetches.size).toBeGreaterThan(0);
  });

  test('starts from the cache while the upstream is away', async () => {
    await buildah.removeAll();
    for (const name of cached) {
      const container = await buildah.from(`docker.io/${name}`);
      expect(await buildah.run(container, 'echo', 'built')).toBe('built');
    }
  });

  test('has the same bytes in the cache as the upstream had', async () => {
    await expectServed(`${site.edge.url}/v2/docker.io/team/large`, '1', images['team/large:1']);
  });
});
