import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { image, layerBytes, referrer, type FakeImage } from '../fakes/images.ts';
import { LocalEdge } from './local-edge.ts';

const hub = new FakeRegistry();
const other = new FakeRegistry();
const official = image({ layers: [layerBytes(900, 'official')] });
const owned = image({ layers: [layerBytes(901, 'owned')] });
const signature = referrer(owned.manifest, 'application/vnd.example.signature');
let edge: LocalEdge;

beforeAll(async () => {
  await Promise.all([hub.start(), other.start()]);
  hub.addImage('library/alpine', official, '3');
  other.addImage('owner/app', owned, 'v1');
  other.addImage('owner/app', signature);
  hub.addImage('owner/app', official, 'v1');
  edge = await LocalEdge.start({ upstreams: { 'docker.io': hub.origin, 'ghcr.io': other.origin } });
});

afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await Promise.all([hub.stop(), other.stop()]);
});

interface Way {
  readonly label: string;
  readonly repository: string;
  readonly query?: string;
  readonly host?: string;
  readonly content: FakeImage;
  readonly tag: string;
}

const ways: Way[] = [
  { label: 'Host', repository: 'owner/app', host: 'ghcr.io', content: owned, tag: 'v1' },
  { label: 'Host in capitals', repository: 'owner/app', host: 'GHCR.io', content: owned, tag: 'v1' },
  {
    label: 'Host before ns',
    repository: 'owner/app',
    host: 'ghcr.io',
    query: 'ns=docker.io',
    content: owned,
    tag: 'v1',
  },
  { label: 'ns', repository: 'owner/app', query: 'ns=ghcr.io', content: owned, tag: 'v1' },
  { label: 'ns and path', repository: 'ghcr.io/owner/app', query: 'ns=ghcr.io', content: owned, tag: 'v1' },
  { label: 'path', repository: 'ghcr.io/owner/app', content: owned, tag: 'v1' },
  { label: 'path of the default', repository: 'docker.io/library/alpine', content: official, tag: '3' },
  { label: 'path of an official image', repository: 'docker.io/alpine', content: official, tag: '3' },
  { label: 'bare', repository: 'library/alpine', content: official, tag: '3' },
  { label: 'bare and official', repository: 'alpine', content: official, tag: '3' },
  { label: 'ns and official', repository: 'alpine', query: 'ns=docker.io', content: official, tag: '3' },
];

describe.each(ways)('by $label', ({ repository, query, host, content, tag }) => {
  const headers = host === undefined ? undefined : { host };
  const target = (rest: string): string =>
    `/v2/${repository}/${rest}${query === undefined ? '' : `?${query}`}`;

  it('manifests, blobs, tags and referrers come from that registry', async () => {
    const manifest = await edge.get(target(`manifests/${tag}`), headers);
    expect(manifest.body).toEqual(Buffer.from(content.manifest.bytes));
    const byDigest = await edge.get(target(`manifests/${content.manifest.digest}`), headers);
    expect(byDigest.body).toEqual(manifest.body);
    for (const { digest, bytes } of content.blobs) {
      expect((await edge.get(target(`blobs/${digest}`), headers)).body).toEqual(Buffer.from(bytes));
    }
    const tags = await edge.get(target('tags/list'), headers);
    expect(JSON.parse(tags.body.toString())).toEqual({ name: repository, tags: [tag] });
    const referrers = await edge.get(target(`referrers/${content.manifest.digest}`), headers);
    const { manifests } = JSON.parse(referrers.body.toString()) as { manifests: { digest: string }[] };
    expect(manifests.map(({ digest }) => digest)).toEqual(
      content === owned ? [signature.manifest.digest] : [],
    );
  });

  it('what it has not is 404 in the protocol’s form', async () => {
    const none = await edge.get(target('manifests/none'), headers);
    expect([none.status, none.headers['content-type']]).toEqual([404, 'application/json']);
    expect(JSON.parse(none.body.toString())).toMatchObject({ errors: [{ code: 'MANIFEST_UNKNOWN' }] });
  });
});

it('ns is echoed, and only where it was given', async () => {
  const named = await edge.get('/v2/owner/app/manifests/v1?ns=ghcr.io');
  expect(named.headers['oci-namespace']).toBe('ghcr.io');
  const bare = await edge.get('/v2/ghcr.io/owner/app/manifests/v1');
  expect(bare.headers['oci-namespace']).toBeUndefined();
});

describe('a registry that is not configured', () => {
  const { digest } = owned.manifest;
  it.each([
    '/v2/evil.example/owner/app/manifests/v1',
    '/v2/localhost:5000/owner/app/manifests/v1',
    '/v2/owner/app/manifests/v1?ns=evil.example',
    '/v2/ghcr.io/owner/app/manifests/v1?ns=evil.example',
    `/v2/evil.example/app/blobs/${digest}`,
    '/v2/evil.example/app/tags/list',
    `/v2/evil.example/app/referrers/${digest}`,
  ])('%s is refused and asked of nobody', async (target) => {
    const before = hub.requests.length + other.requests.length;
    const reply = await edge.get(target);
    expect(reply.status).toBe(404);
    expect(JSON.parse(reply.body.toString())).toMatchObject({ errors: [{ code: 'NAME_UNKNOWN' }] });
    expect(hub.requests.length + other.requests.length).toBe(before);
  });
});

it('ns that no header can carry breaks nothing', async () => {
  const reply = await edge.get('/v2/owner/app/manifests/v1?ns=a%0D%0Ab:c', { host: 'ghcr.io' });
  expect([reply.status, reply.headers['oci-namespace']]).toEqual([200, undefined]);
});
