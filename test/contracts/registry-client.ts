import { describe, expect, test } from 'vitest';
import { parseDigest, type Digest } from '../../src/oci/digest.ts';
import { ociIndexType } from '../../src/oci/media-type.ts';
import { parseReference, type Reference } from '../../src/oci/reference.ts';
import { parseRepositoryName, type RepositoryName } from '../../src/oci/repository-name.ts';
import type { BlobStream, RegistryClient } from '../../src/upstream/registry-client.ts';
import { UpstreamError } from '../../src/upstream/upstream-error.ts';
import {
  content,
  image,
  index,
  layerBytes,
  referrer,
  type FakeContent,
  type FakeManifest,
} from '../fakes/images.ts';

/** An upstream that a client under test reads from. */
export interface RegistryUnderTest extends AsyncDisposable {
  readonly client: RegistryClient;
  addBlob(repository: RepositoryName, blob: FakeContent): void;
  addManifest(repository: RepositoryName, manifest: FakeManifest, tag?: string): void;
  /** `manifest` has a subject; makes it known as its referrer. */
  addReferrer(repository: RepositoryName, subject: Digest, manifest: FakeManifest): void;
  /** From now on ranges are answered with the whole. */
  ignoreRanges(): void;
  /** From now on no call is answered. */
  stall(): void;
}

const repository = parseRepositoryName('library/app')!;
const missing = parseDigest(`sha256:${'0'.repeat(64)}`)!;
const never = new AbortController().signal;

function reference(text: string): Reference {
  return parseReference(text)!;
}

async function collect(stream: BlobStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What every RegistryClient does. */
export function registryClientContract(name: string, create: () => Promise<RegistryUnderTest>): void {
  describe(`${name} as RegistryClient`, () => {
    test('gives manifests by tag and by digest, byte for byte', async () => {
      await using upstream = await create();
      const { manifest } = index();
      upstream.addManifest(repository, manifest, 'v1');
      for (const text of ['v1', manifest.digest]) {
        const fetched = await upstream.client.getManifest(repository, reference(text), never);
        expect(fetched).toMatchObject({ digest: manifest.digest, mediaType: ociIndexType });
        expect(Buffer.from(fetched.bytes).equals(manifest.bytes)).toBe(true);
        const head = await upstream.client.headManifest(repository, reference(text), never);
        expect(head).toEqual({
          digest: manifest.digest,
          mediaType: ociIndexType,
          size: manifest.bytes.length,
        });
      }
    });

    test.each([0, 1, 100_000, 3_000_001])('gives a blob of %d bytes and its size', async (length) => {
      await using upstream = await create();
      const blob = content(layerBytes(length, 'whole'));
      upstream.addBlob(repository, blob);
      expect(await upstream.client.headBlob(repository, blob.digest, never)).toEqual({ size: length });
      const stream = await upstream.client.getBlob(repository, blob.digest, { signal: never });
      expect(stream).toMatchObject({ start: 0, size: length });
      expect((await collect(stream)).equals(blob.bytes)).toBe(true);
    });

    test.each([
      [0, 1],
      [70_000, 150_000],
      [199_999, 200_000],
      [150_000, 300_000],
    ])('gives bytes %d to %d of 200,000', async (start, end) => {
      await using upstream = await create();
      const blob = content(layerBytes(200_000, 'range'));
      upstream.addBlob(repository, blob);
      const stream = await upstream.client.getBlob(repository, blob.digest, {
        span: { start, end },
        signal: never,
      });
      expect(stream).toMatchObject({ start, size: 200_000 });
      expect((await collect(stream)).equals(blob.bytes.subarray(start, end))).toBe(true);
    });

    test('says so when an upstream ignores the range', async () => {
      await using upstream = await create();
      const blob = content(layerBytes(1000, 'ignored'));
      upstream.addBlob(repository, blob);
      upstream.ignoreRanges();
      const span = { start: 500, end: 600 };
      const stream = await upstream.client.getBlob(repository, blob.digest, { span, signal: never });
      expect(stream.start).toBe(0);
      expect((await collect(stream)).equals(blob.bytes)).toBe(true);
    });

    test('refuses a range behind the end', async () => {
      await using upstream = await create();
      const blob = content('short');
      upstream.addBlob(repository, blob);
      const call = upstream.client.getBlob(repository, blob.digest, {
        span: { start: 5, end: 9 },
        signal: never,
      });
      await expect(call).rejects.toMatchObject({ kind: 'malformed', status: 416 });
    });

    test('lists tags, and referrers with their descriptors', async () => {
      await using upstream = await create();
      const subject = image();
      const signature = referrer(subject.manifest, 'application/vnd.example.signature');
      upstream.addManifest(repository, subject.manifest, 'v1');
      upstream.addManifest(repository, subject.manifest, 'latest');
      expect(await upstream.client.listTags(repository, never)).toEqual(['latest', 'v1']);
      const none = await upstream.client.listReferrers(repository, subject.manifest.digest, never);
      expect(none.manifests).toEqual([]);
      upstream.addReferrer(repository, subject.manifest.digest, signature.manifest);
      const some = await upstream.client.listReferrers(repository, subject.manifest.digest, never);
      expect(some.manifests.map(({ digest }) => digest)).toEqual([signature.manifest.digest]);
    });

    test.each([
      ['a tag', async (client: RegistryClient) => client.getManifest(repository, reference('gone'), never)],
      [
        'a HEAD of a tag',
        async (client: RegistryClient) => client.headManifest(repository, reference('gone'), never),
      ],
      [
        'a digest',
        async (client: RegistryClient) => client.getManifest(repository, reference(missing), never),
      ],
      ['a blob', async (client: RegistryClient) => client.getBlob(repository, missing, { signal: never })],
      ['a HEAD of a blob', async (client: RegistryClient) => client.headBlob(repository, missing, never)],
      [
        'a repository',
        async (client: RegistryClient) => client.listTags(parseRepositoryName('no/such')!, never),
      ],
    ])('is absent: %s', async (_, call) => {
      await using upstream = await create();
      upstream.addManifest(repository, image().manifest, 'v1');
      const error: unknown = await call(upstream.client).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UpstreamError);
      expect(error).toMatchObject({ kind: 'absent', status: 404, isVerdict: true });
    });

    test("ends at once with the signal's reason", async () => {
      await using upstream = await create();
      const blob = content(layerBytes(1_000_000, 'abort'));
      upstream.addBlob(repository, blob);
      const reader = new AbortController();
      const reason = new Error('the reader left');
      const stream = await upstream.client.getBlob(repository, blob.digest, { signal: reader.signal });
      const reading = (async () => {
        for await (const _ of stream.chunks) reader.abort(reason);
      })();
      await expect(reading).rejects.toMatchObject({ name: 'UpstreamError', cause: reason });

      upstream.stall();
      const caller = new AbortController();
      const call = upstream.client.headBlob(repository, blob.digest, caller.signal);
      caller.abort(reason);
      await expect(call).rejects.toMatchObject({ name: 'UpstreamError', cause: reason });
    });

    test('lets a body be left in the middle', async () => {
      await using upstream = await create();
      const blob = content(layerBytes(3_000_000, 'left'));
      upstream.addBlob(repository, blob);
      for (let round = 0; round < 5; round += 1) {
        const stream = await upstream.client.getBlob(repository, blob.digest, { signal: never });
        for await (const chunk of stream.chunks) {
          expect(chunk.length).toBeGreaterThan(0);
          break;
        }
      }
      const stream = await upstream.client.getBlob(repository, blob.digest, { signal: never });
      expect((await collect(stream)).equals(blob.bytes)).toBe(true);
    });
  });
}
