import { afterAll, beforeAll, expect, test } from 'vitest';
import { Containerd } from '../programs/containerd.ts';
import { Edge } from '../programs/edge.ts';
import { busyboxImage, greeting, largeImage, multiPlatformImage, zstdImage } from '../programs/images.ts';
import { Registry } from '../programs/registry.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { TempFolder } from '../programs/temp-folder.ts';
import { expectFetchedOnce, expectServed } from './expect-served.ts';

const programs = ['containerd', 'ctr', 'runc', 'unshare', 'docker-registry', 'busybox'] as const;

describeWithPrograms('containerd with hosts.toml', { programs, root: true }, () => {
  const images = {
    busybox: busyboxImage('oci', 'containerd'),
    index: multiPlatformImage('oci'),
    large: largeImage({ format: 'oci', layers: 4, layerBytes: 30_000_000 }),
    zstd: zstdImage(),
    elsewhere: busyboxImage('docker', 'of another registry'),
  };
  const resources = new AsyncDisposableStack();
  let dockerHub: Registry;
  let other: Registry;
  let edge: Edge;
  let containerd: Containerd;

  beforeAll(async () => {
    const folder = resources.use(await TempFolder.create('containerd'));
    dockerHub = resources.use(await Registry.start({ folder: folder.file('docker-hub') }));
    await dockerHub.push('library/busybox:latest', images.busybox);
    await dockerHub.push('library/multi:1', images.index);
    await dockerHub.push('library/large:1', images.large);
    await dockerHub.push('team/zstd:1', images.zstd);
    other = resources.use(await Registry.start({ folder: folder.file('other') }));
    await other.push('team/app:1', images.elsewhere);
    edge = resources.use(
      await Edge.start({
        folder: folder.file('edge'),
        upstreams: { 'docker.io': dockerHub.url, 'registry.example:5443': other.url },
      }),
    );
    const hosts = hostsFile(edge.url);
    containerd = resources.use(
      await Containerd.start({
        folder: await folder.folder('containerd'),
        hosts: { 'docker.io': hosts, _default: hosts },
      }),
    );
  });

  afterAll(() => resources.disposeAsync());

  const names = ['docker.io/library/busybox:latest', 'docker.io/library/large:1', 'docker.io/team/zstd:1'];

  test.each(names)('pulls %s by ns and runs it', async (name) => {
    await containerd.pull(name);
    expect(await containerd.run(name)).toBe(greeting);
  });

  test('reads a layer compressed by zstd', async () => {
    expect(await containerd.run('docker.io/team/zstd:1', 'cat', '/zstd-layer')).toBe('by zstd');
  });

  test('pulls large layers, each of which leaves the upstream once', () => {
    expectFetchedOnce(dockerHub, { ...images.large, layers: images.large.layers.slice(1) });
  });

  test('pulls all platforms of an index', async () => {
    await containerd.pull('docker.io/library/multi:1', '--all-platforms');
    for (const { digest, bytes } of [images.index.manifest, ...images.index.children]) {
      expect(await containerd.content(digest)).toBe(bytes.toString('utf8'));
    }
  });

  test('pulls by digest', async () => {
    const name = `docker.io/library/busybox@${images.busybox.manifest.digest}`;
    await containerd.pull(name);
    expect(await containerd.run(name)).toBe(greeting);
  });

  test('pulls from a registry with a port in its name that only _default covers', async () => {
    await containerd.pull('registry.example:5443/team/app:1');
    expect(await containerd.run('registry.example:5443/team/app:1')).toBe(greeting);
    expect([...other.blobFetches.keys()]).toContain(images.elsewhere.layers.at(-1));
  });

  test('gets nothing from a registry that is no upstream of the edge, nor is another one asked', async () => {
    const before = dockerHub.requests.length;
    await expect(containerd.pull('stranger.example/library/busybox:latest')).rejects.toThrow(
      /ended with code 1/,
    );
    expect(dockerHub.requests.length).toBe(before);
  });

  test('pulls and runs from the cache while the upstreams are away', async () => {
    await dockerHub.stop();
    await other.stop();
    for (const name of [...names, 'docker.io/library/multi:1', 'registry.example:5443/team/app:1']) {
      await containerd.remove(name);
    }
    for (const name of [...names, 'docker.io/library/multi:1', 'registry.example:5443/team/app:1']) {
      await containerd.pull(name);
      expect(await containerd.run(name), name).toBe(greeting);
    }
  });

  test('has the same bytes in the cache as the upstream had', async () => {
    await expectServed(`${edge.url}/v2/docker.io/library/multi`, '1', images.index);
    await expectServed(`${edge.url}/v2/docker.io/library/large`, '1', images.large);
  });
});

/** Nobody listens at the last resort: what the edge does not answer fails. */
function hostsFile(edgeUrl: string): string {
  return `server = "http://127.0.0.1:1"\n[host."${edgeUrl}"]\n  capabilities = ["pull", "resolve"]\n`;
}
