import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { content, image, index, layerBytes, referrer, type FakeManifest } from '../fakes/images.ts';
import { LocalEdge, type Reply } from './local-edge.ts';

/** What a client may rely on when it pulls from any registry (distribution-spec, "Pull" and "Content Discovery"). */
const registry = new FakeRegistry();
const one = image({ layers: [layerBytes(70_000, 'layer'), new Uint8Array()] });
const docker = image({ flavour: 'docker', layers: [layerBytes(80, 'docker')] });
const both = index();
const types = ['signature', 'sbom'].map((kind) => `application/vnd.example.${kind}`);
const attached = types.map((type) => referrer(one.manifest, type));
const odd: FakeManifest = {
  ...content(
    '{"schemaVersion": 2,\n  "mediaType": "application/vnd.example.odd+json", "x": [1.0, "\\u00e9"] }\n',
  ),
  mediaType: 'application/vnd.example.odd+json',
};
const name = 'team/app';
let edge: LocalEdge;

beforeAll(async () => {
  await registry.start();
  registry.addImage(name, one, 'v1');
  registry.addImage(name, docker, 'docker');
  registry.addIndex(name, both, 'multi');
  registry.addManifest(name, odd, 'odd');
  for (const each of attached) registry.addImage(name, each);
  edge = await LocalEdge.start({ upstreams: { 'docker.io': registry.origin } });
});

afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await registry.stop();
});

function json({ body }: Reply): unknown {
  return JSON.parse(body.toString());
}

describe('the base', () => {
  it.each(['/v2/', '/v2'])('%s is 200 without a challenge', async (path) => {
    const reply = await edge.get(path);
    expect([reply.status, reply.headers['www-authenticate']]).toEqual([200, undefined]);
    expect(reply.headers['docker-distribution-api-version']).toBe('registry/2.0');
  });
});

const manifests: [string, string, FakeManifest][] = [
  ['an image by tag', 'v1', one.manifest],
  ['an image by digest', one.manifest.digest, one.manifest],
  ['a Docker image', 'docker', docker.manifest],
  ['an index', 'multi', both.manifest],
  ['a child of the index', both.images[1]!.manifest.digest, both.images[1]!.manifest],
  ['a manifest of a type that nobody knows', 'odd', odd],
  ['a signature', attached[0]!.manifest.digest, attached[0]!.manifest],
];

describe.each(manifests)('%s', (_, reference, manifest) => {
  const path = `/v2/${name}/manifests/${reference}`;

  it('comes byte for byte with its type, length and digest', async () => {
    const reply = await edge.get(path);
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual(Buffer.from(manifest.bytes));
    expect(reply.headers).toMatchObject({
      'content-type': manifest.mediaType,
      'content-length': String(manifest.bytes.length),
      'docker-content-digest': manifest.digest,
      etag: `"${manifest.digest}"`,
    });
  });

  it('has the same head for HEAD', async () => {
    const [got, headed] = [await edge.get(path), await edge.head(path)];
    expect([headed.status, headed.body.length]).toEqual([200, 0]);
    expect({ ...headed.headers, date: '' }).toEqual({ ...got.headers, date: '' });
  });

  it('is 304 to whoever has it, 200 to whoever has another', async () => {
    const same = await edge.get(path, { 'if-none-match': `"${manifest.digest}"` });
    expect([same.status, same.body.length, same.headers['docker-content-digest']]).toEqual([
      304,
      0,
      manifest.digest,
    ]);
    expect((await edge.get(path, { 'if-none-match': '"other"' })).status).toBe(200);
  });
});

describe.each(one.blobs.map((blob) => [blob.bytes.length, blob] as const))(
  'a blob of %i bytes',
  (size, blob) => {
    const path = `/v2/${name}/blobs/${blob.digest}`;

    it('comes whole with its length and digest', async () => {
      const reply = await edge.get(path);
      expect(reply.status).toBe(200);
      expect(reply.body).toEqual(Buffer.from(blob.bytes));
      expect(reply.headers).toMatchObject({
        'content-length': String(size),
        'content-type': 'application/octet-stream',
        'docker-content-digest': blob.digest,
        'accept-ranges': 'bytes',
      });
    });

    it('has the same head for HEAD', async () => {
      const [got, headed] = [await edge.get(path), await edge.head(path)];
      expect([headed.status, headed.body.length]).toEqual([200, 0]);
      // Between the last byte and the next request a blob goes from `fwd=miss` to `hit`.
      const volatile = { date: '', 'cache-status': '' };
      expect({ ...headed.headers, ...volatile }).toEqual({ ...got.headers, ...volatile });
    });

    it('is 304 to whoever has it', async () => {
      expect((await edge.get(path, { 'if-none-match': `"${blob.digest}"` })).status).toBe(304);
    });
  },
);

describe('refusals in the protocol’s form', () => {
  const { digest } = content('no such');
  it.each([
    [`manifests/none`, 404, 'MANIFEST_UNKNOWN'],
    [`manifests/${digest}`, 404, 'MANIFEST_UNKNOWN'],
    [`manifests/.INVALID`, 404, 'MANIFEST_UNKNOWN'],
    [`manifests/sha256:bad`, 400, 'DIGEST_INVALID'],
    [`blobs/${digest}`, 404, 'BLOB_UNKNOWN'],
    [`blobs/sha256:bad`, 400, 'DIGEST_INVALID'],
    [`referrers/sha256:bad`, 400, 'DIGEST_INVALID'],
    [`tags/list?n=-1`, 400, 'PAGINATION_NUMBER_INVALID'],
  ])('%s is %i %s, for HEAD without a body', async (rest, status, code) => {
    const reply = await edge.get(`/v2/${name}/${rest}`);
    expect([reply.status, reply.headers['content-type']]).toEqual([status, 'application/json']);
    const { errors } = json(reply) as { errors: { code: string; message: string }[] };
    expect(errors).toMatchObject([{ code, message: expect.any(String) as string }]);
    const headed = await edge.head(`/v2/${name}/${rest}`);
    expect([headed.status, headed.body.length]).toEqual([status, 0]);
  });

  it.each([
    ['PUT', 'manifests/v1'],
    ['DELETE', 'manifests/v1'],
    ['DELETE', `blobs/${digest}`],
    ['POST', 'blobs/uploads/'],
    ['POST', `blobs/uploads/?mount=${digest}&from=team/other`],
    ['PATCH', 'blobs/uploads/some-session'],
    ['PUT', `blobs/uploads/some-session?digest=${digest}`],
  ])('%s %s is 405: an edge is read-only', async (method, rest) => {
    const before = registry.requests.length;
    const reply = await edge.ask(method, `/v2/${name}/${rest}`);
    expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect(json(reply)).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
    expect(registry.requests.length).toBe(before);
  });

  it('a repository that is unknown has no tags', async () => {
    const reply = await edge.get('/v2/team/none/tags/list');
    expect(reply.status).toBe(404);
    expect(json(reply)).toMatchObject({ errors: [{ code: 'NAME_UNKNOWN' }] });
  });
});

describe('tags', () => {
  it('come all, in order', async () => {
    const reply = await edge.get(`/v2/${name}/tags/list`);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(json(reply)).toEqual({ name, tags: ['docker', 'multi', 'odd', 'v1'] });
  });

  it('come in pages when asked, each naming the next', async () => {
    const seen: string[] = [];
    let path: string | undefined = `/v2/${name}/tags/list?n=3`;
    while (path !== undefined) {
      const reply: Reply = await edge.get(path);
      seen.push((json(reply) as { tags: string[] }).tags.join());
      const { link } = reply.headers;
      path = /^<([^>]+)>; rel="next"$/.exec(typeof link === 'string' ? link : '')?.[1];
    }
    expect(seen).toEqual(['docker,multi,odd', 'v1']);
  });

  it.each([
    ['last=multi', ['odd', 'v1']],
    ['n=1&last=multi', ['odd']],
    ['last=n', ['odd', 'v1']],
    ['n=0', []],
    ['last=zzz', []],
  ])('?%s', async (query, tags) => {
    expect(json(await edge.get(`/v2/${name}/tags/list?${query}`))).toEqual({ name, tags });
  });
});

describe('referrers', () => {
  const path = `/v2/${name}/referrers/${one.manifest.digest}`;

  it('come as an index with their types', async () => {
    const reply = await edge.get(path);
    expect(reply.headers['content-type']).toBe('application/vnd.oci.image.index.v1+json');
    expect(json(reply)).toMatchObject({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: attached.map(({ manifest }, at) => ({ digest: manifest.digest, artifactType: types[at] })),
    });
  });

  it('are filtered when asked, which is said', async () => {
    const reply = await edge.get(`${path}?artifactType=${encodeURIComponent(types[1]!)}`);
    expect(reply.headers['oci-filters-applied']).toBe('artifactType');
    expect(json(reply)).toMatchObject({ manifests: [{ digest: attached[1]!.manifest.digest }] });
  });

  it('of what nobody knows are an empty list', async () => {
    const reply = await edge.get(`/v2/${name}/referrers/${content('unknown').digest}`);
    expect(reply.status).toBe(200);
    expect(json(reply)).toMatchObject({ schemaVersion: 2, manifests: [] });
  });

  it('of a repository that nobody knows are an empty list', async () => {
    const reply = await edge.get(`/v2/team/none/referrers/${one.manifest.digest}`);
    expect(reply.status).toBe(200);
    expect(json(reply)).toMatchObject({ schemaVersion: 2, manifests: [] });
  });
});
