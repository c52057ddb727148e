import { parseManifest } from '../../src/oci/manifest.ts';
import { createHttpUpstream } from '../../src/upstream/http-upstream.ts';
import { MemoryRegistryClient } from '../../src/upstream/memory-registry-client.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../fakes/fake-registry.ts';
import { descriptor } from '../fakes/images.ts';
import { upstreamOptions } from '../fakes/upstream-options.ts';
import { registryClientContract, type RegistryUnderTest } from './registry-client.ts';

registryClientContract('MemoryRegistryClient', async () => {
  const client = new MemoryRegistryClient();
  return {
    client,
    addBlob: (repository, { digest, bytes }) => client.addBlob(repository, digest, bytes),
    addManifest: (repository, manifest, tag) => client.addManifest(repository, manifest, tag),
    addReferrer: (repository, subject, manifest) => {
      if (parseManifest(manifest.bytes, manifest.mediaType) === undefined) throw new Error('no manifest');
      client.addReferrer(repository, subject, descriptor(manifest, manifest.mediaType));
    },
    ignoreRanges: () => {
      client.script.ignoresRanges = true;
    },
    stall: () => {
      client.script.beforeCall = async () => new Promise(() => undefined);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
});

async function overHttp(options: FakeRegistryOptions): Promise<RegistryUnderTest> {
  const registry = new FakeRegistry(options);
  await registry.start();
  const client = createHttpUpstream(upstreamOptions(registry.origin));
  const stalled = Promise.withResolvers<void>();
  return {
    client,
    addBlob: (repository, blob) => registry.addBlob(repository, blob),
    addManifest: (repository, manifest, tag) => registry.addManifest(repository, manifest, tag),
    addReferrer: (repository, _subject, manifest) => registry.addManifest(repository, manifest),
    ignoreRanges: () => registry.inject(({ headers }) => headers.range !== undefined, { ignoreRange: true }),
    stall: () => registry.inject(() => true, { headersAfter: stalled.promise }),
    [Symbol.asyncDispose]: async () => {
      stalled.resolve();
      await client.close();
      await registry.stop();
    },
  };
}

registryClientContract('HttpUpstream', async () => overHttp({}));
registryClientContract('HttpUpstream behind a token endpoint', async () =>
  overHttp({ auth: { kind: 'bearer' } }),
);
