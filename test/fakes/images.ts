import { createHash } from 'node:crypto';
import type { Digest } from '../../src/oci/digest.ts';
import {
  dockerConfigType,
  dockerListType,
  dockerManifestType,
  ociConfigType,
  ociIndexType,
  ociManifestType,
} from '../../src/oci/media-type.ts';

export type ImageFlavour = 'oci' | 'docker';

/** Content under its own digest. */
export interface FakeContent {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export interface FakeManifest extends FakeContent {
  readonly mediaType: string;
}

export interface FakeImage {
  readonly manifest: FakeManifest;
  /** Config first, then layers. */
  readonly blobs: readonly FakeContent[];
}

export interface FakeIndex {
  readonly manifest: FakeManifest;
  readonly images: readonly FakeImage[];
}

const layerTypes: Readonly<Record<ImageFlavour, string>> = {
  oci: 'application/vnd.oci.image.layer.v1.tar+gzip',
  docker: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};

export function content(bytes: Uint8Array | string): FakeContent {
  const whole = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return { digest: `sha256:${createHash('sha256').update(whole).digest('hex')}` as Digest, bytes: whole };
}

/** Bytes that no compressor shortens and that are the same in each run. */
export function layerBytes(length: number, seed: string): Uint8Array {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 64 < length; index += 1) {
    blocks.push(createHash('sha512').update(`${seed}:${index}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** An image that clients accept as one, whose layers are no archives. */
export function image(
  options: { flavour?: ImageFlavour; layers?: readonly Uint8Array[]; architecture?: string } = {},
): FakeImage {
  const { flavour = 'oci', architecture = 'amd64', layers = [layerBytes(3000, architecture)] } = options;
  const layerContents = layers.map((bytes) => content(bytes));
  const config = content(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layerContents.map(({ digest }) => digest) },
    }),
  );
  const manifest = content(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: flavour === 'oci' ? ociManifestType : dockerManifestType,
      config: descriptor(config, flavour === 'oci' ? ociConfigType : dockerConfigType),
      layers: layerContents.map((layer) => descriptor(layer, layerTypes[flavour])),
    }),
  );
  return {
    manifest: { ...manifest, mediaType: flavour === 'oci' ? ociManifestType : dockerManifestType },
    blobs: [config, ...layerContents],
  };
}

/** An index of one image for each architecture. */
export function index(
  options: { flavour?: ImageFlavour; architectures?: readonly string[] } = {},
): FakeIndex {
  const { flavour = 'oci', architectures = ['amd64', 'arm64'] } = options;
  const images = architectures.map((architecture) => image({ flavour, architecture }));
  const mediaType = flavour === 'oci' ? ociIndexType : dockerListType;
  const manifests = images.map((child, at) => ({
    ...descriptor(child.manifest, child.manifest.mediaType),
    platform: { architecture: architectures[at], os: 'linux' },
  }));
  return {
    manifest: { ...content(JSON.stringify({ schemaVersion: 2, mediaType, manifests })), mediaType },
    images,
  };
}

/** What a signature looks like to a registry: a manifest with a subject. */
export function referrer(subject: FakeManifest, artifactType: string): FakeImage {
  const empty = content('{}');
  const payload = content(`signature of ${subject.digest}`);
  const manifest = content(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifestType,
      artifactType,
      config: descriptor(empty, 'application/vnd.oci.empty.v1+json'),
      layers: [descriptor(payload, 'application/octet-stream')],
      subject: descriptor(subject, subject.mediaType),
    }),
  );
  return { manifest: { ...manifest, mediaType: ociManifestType }, blobs: [empty, payload] };
}

export function descriptor(
  { digest, bytes }: FakeContent,
  mediaType: string,
): { mediaType: string; digest: Digest; size: number } {
  return { mediaType, digest, size: bytes.length };
}
