import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { content, image, layerBytes } from '../fakes/images.ts';
import { LocalEdge } from './local-edge.ts';

/** An upstream whose credential reads more than anybody may. */
const registry = new FakeRegistry({
  auth: { kind: 'bearer', users: { edge: 'secret' }, privateRepositories: ['team/private'] },
});
const open = image({ layers: [layerBytes(500, 'open')] });
const hidden = image({ layers: [layerBytes(501, 'hidden')] });
const edges = new Map<'public' | 'open', LocalEdge>();

beforeAll(async () => {
  await registry.start();
  registry.addImage('team/public', open, 'v1');
  registry.addImage('team/private', hidden, 'v1');
  for (const access of ['public', 'open'] as const) {
    const credentials = [{ username: 'edge', password: 'secret' }];
    const upstream = { access, credentials };
    edges.set(access, await LocalEdge.start({ upstreams: { 'docker.io': registry.origin }, upstream }));
  }
});

afterAll(async () => {
  for (const edge of edges.values()) await edge[Symbol.asyncDispose]();
  await registry.stop();
});

function targets({ manifest, blobs }: typeof open): string[] {
  const digests = blobs.map(({ digest }) => `blobs/${digest}`);
  return ['manifests/v1', `manifests/${manifest.digest}`, ...digests, 'tags/list'];
}

describe.each(['public', 'open'] as const)('access: %s', (access) => {
  it.each(targets(open))('%s of a public repository is served', async (target) => {
    expect((await edges.get(access)!.get(`/v2/team/public/${target}`)).status).toBe(200);
  });

  const status = access === 'open' ? 200 : 404;
  it.each(targets(hidden))(`%s of a private one is ${status}`, async (target) => {
    const reply = await edges.get(access)!.get(`/v2/team/private/${target}`);
    expect(reply.status).toBe(status);
    expect(reply.headers['www-authenticate']).toBeUndefined();
    if (status === 404) {
      expect(JSON.parse(reply.body.toString())).toMatchObject({ errors: [{ code: 'NAME_UNKNOWN' }] });
    }
  });
});

it('what is private is not given away through a public repository', async () => {
  const edge = edges.get('open')!;
  for (const { digest } of [hidden.manifest, ...hidden.blobs]) {
    expect((await edge.get(`/v2/team/public/blobs/${digest}`)).status).toBe(404);
  }
  const bait = {
    ...open.manifest,
    ...content(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: open.manifest.mediaType,
        layers: hidden.blobs.map(({ digest, bytes }) => ({
          mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
          digest,
          size: bytes.length,
        })),
      }),
    ),
  };
  registry.addManifest('team/public', bait, 'bait');
  expect((await edge.get('/v2/team/public/manifests/bait')).status).toBe(200);
  for (const { digest } of hidden.blobs) {
    expect((await edge.get(`/v2/team/public/blobs/${digest}`)).status).toBe(404);
  }
});
