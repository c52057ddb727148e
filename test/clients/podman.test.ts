import { afterAll, beforeAll, expect, test } from 'vitest';
import { busyboxImage, greeting, multiPlatformImage, zstdImage } from '../programs/images.ts';
import { Podman } from '../programs/podman.ts';
import { PullThrough } from '../programs/pull-through.ts';
import { Registry } from '../programs/registry.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { expectFetchedOnce, expectServed } from './expect-served.ts';

const programs = ['podman', 'runc', 'unshare', 'docker-registry', 'busybox'] as const;

describeWithPrograms('Podman with registries.conf', { programs, root: true }, () => {
  const images = {
    'library/busybox:latest': busyboxImage('docker', 'podman'),
    'library/multi:1': multiPlatformImage('oci'),
    'team/zstd:1': zstdImage(),
    'team/half:1': busyboxImage('oci', 'podman, half in the cache'),
    'team/half-index:1': multiPlatformImage('docker'),
  };
  const cached = ['library/busybox:latest', 'library/multi:1', 'team/zstd:1'] as const;
  /** Podman chooses one registry for all of an image: it must not choose the edge for one that the edge can't finish. */
  const partlyCached = ['team/half:1', 'team/half-index:1'] as const;
  let site: PullThrough;
  let primary: Registry;
  let podman: Podman;

  beforeAll(async () => {
    // A tag is looked at on each pull, so that the edge knows at once that the upstream is away.
    const config = { freshness: [{ tags: ['*'], fresh: '0s' }] };
    site = await PullThrough.start({ label: 'podman', images, config });
    primary = site.use(await Registry.start({ folder: site.folder.file('primary') }));
    for (const [name, content] of Object.entries(images)) await primary.push(name, content);
    podman = await Podman.create(await site.folder.folder('podman'), [
      { prefix: 'docker.io', location: primary.host, mirrors: [`${site.edge.host}/docker.io`] },
    ]);
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  test.each(cached)('pulls %s from the mirror and runs it', async (name) => {
    await podman.pull(`docker.io/${name}`);
    expect(await podman.run(`docker.io/${name}`)).toBe(greeting);
    expect(readsOf(primary)).toEqual([]);
  });

  test('fetches each layer once from the upstream', () => {
    expectFetchedOnce(site.upstream, images['team/zstd:1']);
  });

  test.each(partlyCached)('has only the manifest of %s in the cache', async (name) => {
    expect(await manifestStatus(site, name)).toBe(200);
  });

  test('pulls from the cache while the upstream is away', async () => {
    await site.upstream.stop();
    await podman.removeAll();
    for (const name of cached) {
      await podman.pull(`docker.io/${name}`);
      expect(await podman.run(`docker.io/${name}`)).toBe(greeting);
    }
    expect(readsOf(primary)).toEqual([]);
  });

  test.each(partlyCached)('goes on to the next registry for %s while the upstream is away', async (name) => {
    expect(await manifestStatus(site, name)).toBe(404);
    await podman.pull(`docker.io/${name}`);
    expect(await podman.run(`docker.io/${name}`)).toBe(greeting);
    const [repository, tag] = name.split(':');
    expect(readsOf(primary)).toContain(`/v2/${repository}/manifests/${tag}`);
  });

  test('has the same bytes in the cache as the upstream had', async () => {
    await expectServed(`${site.edge.url}/v2/docker.io/team/zstd`, '1', images['team/zstd:1']);
  });
});

async function manifestStatus(site: PullThrough, name: string): Promise<number> {
  const [repository, tag] = name.split(':');
  const response = await fetch(`${site.edge.url}/v2/docker.io/${repository}/manifests/${tag}`);
  await response.arrayBuffer();
  return response.status;
}

function readsOf(registry: Registry): string[] {
  return registry.requests
    .filter(({ method, path }) => method === 'GET' && path !== '/v2/')
    .map(({ path }) => path);
}
