import { expect, it } from 'vitest';
import { ociIndexType, ociManifestType } from '../../src/oci/media-type.ts';
import { referrersTag } from '../../src/oci/referrers-tag.ts';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { content, descriptor, image, referrer } from '../fakes/images.ts';
import { LocalEdge } from './local-edge.ts';

it('referrers come from the fallback tag of an upstream that has no API for them', async () => {
  await using registry = new FakeRegistry({ hasReferrersApi: false });
  await registry.start();
  const one = image();
  const signature = referrer(one.manifest, 'application/vnd.example.signature');
  const manifests = [
    { ...descriptor(signature.manifest, ociManifestType), artifactType: 'application/vnd.example.signature' },
  ];
  registry.addImage('team/app', one, 'v1');
  registry.addImage('team/app', signature);
  const fallback = content(JSON.stringify({ schemaVersion: 2, mediaType: ociIndexType, manifests }));
  registry.addManifest(
    'team/app',
    { ...fallback, mediaType: ociIndexType },
    referrersTag(one.manifest.digest),
  );
  await using edge = await LocalEdge.start({ upstreams: { 'docker.io': registry.origin } });

  const path = `/v2/team/app/referrers/${one.manifest.digest}`;
  const listed = async (query: string): Promise<unknown> =>
    JSON.parse((await edge.get(`${path}${query}`)).body.toString()) as unknown;
  expect(await listed('')).toMatchObject({ mediaType: ociIndexType, manifests });
  expect(await listed('?artifactType=application/vnd.example.signature')).toMatchObject({ manifests });
  expect(await listed('?artifactType=other')).toMatchObject({ manifests: [] });
});
