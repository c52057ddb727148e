import { afterAll, beforeAll, expect, test } from 'vitest';
import { Dockerd } from '../programs/dockerd.ts';
import { busyboxImage, greeting, largeImage, multiPlatformImage } from '../programs/images.ts';
import { PullThrough } from '../programs/pull-through.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { expectFetchedOnce, expectServed } from './expect-served.ts';

const programs = [
  'dockerd',
  'docker',
  'containerd',
  'runc',
  'unshare',
  'docker-registry',
  'busybox',
] as const;

describeWithPrograms('Docker with registry-mirrors', { programs, root: true }, () => {
  const images = {
    schema2: busyboxImage('docker', 'docker schema 2'),
    oci: busyboxImage('oci', 'docker oci'),
    list: multiPlatformImage('docker'),
    large: largeImage({ format: 'docker', layers: 4, layerBytes: 30_000_000 }),
  };
  let site: PullThrough;
  let docker: Dockerd;

  beforeAll(async () => {
    site = await PullThrough.start({
      label: 'docker',
      images: {
        'library/busybox:latest': images.schema2,
        'team/app:1.0': images.oci,
        'library/multi:1': images.list,
        'library/large:1': images.large,
      },
    });
    docker = site.use(
      await Dockerd.start({ folder: await site.folder.folder('docker'), registryMirrors: [site.edge.url] }),
    );
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  const names = ['busybox', 'team/app:1.0', 'multi:1', 'large:1'];

  test('pulls an official image by its short name and runs it', async () => {
    await docker.docker('pull', 'busybox');
    expect(await docker.run('busybox')).toBe(greeting);
    expectFetchedOnce(site.upstream, images.schema2);
  });

  test('pulls an OCI image by digest and runs it', async () => {
    await docker.docker('pull', `team/app@${images.oci.manifest.digest}`);
    expect(await docker.run(`team/app@${images.oci.manifest.digest}`)).toBe(greeting);
    await docker.docker('pull', 'team/app:1.0');
  });

  test('pulls the platform of this machine from a manifest list', async () => {
    await docker.docker('pull', 'multi:1');
    expect(await docker.run('multi:1')).toBe(greeting);
    const digests = await docker.docker('inspect', '--format', '{{json .RepoDigests}}', 'multi:1');
    expect(JSON.parse(digests)).toEqual([`multi@${images.list.manifest.digest}`]);
  });

  test('pulls large layers, each of which leaves the upstream once', async () => {
    await docker.docker('pull', 'large:1');
    expect(await docker.run('large:1', 'ls', '/ballast-3')).toBe('/ballast-3');
    const ownLayers = images.large.layers.slice(1);
    expectFetchedOnce(site.upstream, { ...images.large, layers: ownLayers });
  });

  test('fails for an image that nobody has, and does not hang', async () => {
    await expect(docker.docker('pull', 'library/no-such-image')).rejects.toThrow(/ended with code 1/);
  });

  test.each(['while the upstream is away', 'and after the edge was restarted'])(
    'pulls and runs everything from the cache %s',
    async (circumstance) => {
      await site.upstream.stop();
      if (circumstance.includes('restarted')) {
        await site.edge.stop();
        await site.edge.resume();
      }
      await docker.docker('image', 'prune', '--all', '--force');
      expect(await docker.docker('image', 'ls', '--quiet')).toBe('');
      for (const name of names) {
        await docker.docker('pull', name);
        expect(await docker.run(name), name).toBe(greeting);
      }
    },
  );

  test('has the same bytes in the cache as the upstream had', async () => {
    const repository = `${site.edge.url}/v2/library`;
    await expectServed(`${repository}/busybox`, 'latest', images.schema2);
    await expectServed(`${repository}/large`, '1', images.large);
  });
});
