import { createHash } from 'node:crypto';

/** Media types of the two families that registries hold (image-spec media-types.md; Docker's schema 2). */
export const mediaTypesOf = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

export type ImageFormat = keyof typeof mediaTypesOf;

export interface ContentDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly platform?: { readonly os: string; readonly architecture: string };
}

export interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: string;
}

/** Everything a registry has to hold for one tag. */
export interface ImageContent {
  /** What the tag names. */
  readonly manifest: StoredManifest;
  /** Manifests that it names, in turn; empty unless it is an index. */
  readonly children: readonly StoredManifest[];
  /** By digest; without foreign layers. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** The digests of the layers among them, in the order of the manifests. */
  readonly layers: readonly string[];
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function describeContent(bytes: Uint8Array, mediaType: string): ContentDescriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

/** `document` as a registry keeps it. Docker's schema 2 requires `mediaType` inside; the OCI form allows it. */
export function storeManifest(document: object, mediaType: string): StoredManifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }, undefined, 2));
  return { bytes, mediaType, digest: sha256(bytes) };
}

/** The platform that containers of this machine run on. */
export const hostPlatform = {
  os: 'linux',
  architecture: process.arch === 'x64' ? 'amd64' : process.arch,
} as const;
