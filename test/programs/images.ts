import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import {
  describeContent,
  hostPlatform,
  mediaTypesOf,
  sha256,
  storeManifest,
  type ContentDescriptor,
  type ImageContent,
  type ImageFormat,
} from './image-content.ts';
import { findProgram } from './system-program.ts';
import { tarArchive, type TarMember } from './tar-archive.ts';

/** What a container of `busyboxImage` prints when it is run without a command. */
export const greeting = 'wherry carries this image';

interface Layer {
  readonly descriptor: ContentDescriptor;
  readonly bytes: Buffer;
  /** The digest of the uncompressed archive, as the image's configuration lists it. */
  readonly diffId: string;
}

/** Debian's static busybox with a shell: an image that runs. `label` makes its bytes differ from others. */
export function busyboxImage(format: ImageFormat, label = 'plain'): ImageContent {
  return assemble(format, [busyboxLayer(format), labelLayer(format, label)]);
}

export interface LargeImageOptions {
  readonly format: ImageFormat;
  readonly layers: number;
  readonly layerBytes: number;
}

/** A busybox image with more layers of random bytes, which no compression makes smaller. */
export function largeImage(options: LargeImageOptions): ImageContent {
  const layers = Array.from({ length: options.layers }, (_, index) =>
    gzipLayer(options.format, [
      { kind: 'file', name: `ballast-${index}`, content: randomBytes(options.layerBytes) },
    ]),
  );
  return assemble(options.format, [busyboxLayer(options.format), ...layers]);
}

/** A busybox image whose last layer is compressed by zstd, which OCI allows (image-spec layer.md). */
export function zstdImage(): ImageContent {
  const archive = tarArchive([{ kind: 'file', name: 'zstd-layer', content: Buffer.from('by zstd\n') }]);
  const bytes = zstdCompressSync(archive);
  const descriptor = describeContent(bytes, 'application/vnd.oci.image.layer.v1.tar+zstd');
  return assemble('oci', [busyboxLayer('oci'), { descriptor, bytes, diffId: sha256(archive) }]);
}

/** An image of this machine's platform and another one's, under an index (OCI) or a manifest list (Docker). */
export function multiPlatformImage(format: ImageFormat): ImageContent {
  const others = hostPlatform.architecture === 's390x' ? 'amd64' : 's390x';
  const platforms = [hostPlatform, { os: 'linux', architecture: others }];
  const images = platforms.map((platform) =>
    assemble(format, [busyboxLayer(format), labelLayer(format, platform.architecture)], platform),
  );
  const manifests = images.map(({ manifest }, index) => ({
    ...describeContent(manifest.bytes, manifest.mediaType),
    platform: platforms[index],
  }));
  return {
    manifest: storeManifest({ manifests }, mediaTypesOf[format].index),
    children: images.map(({ manifest }) => manifest),
    blobs: new Map(images.flatMap(({ blobs }) => [...blobs])),
    layers: [...new Set(images.flatMap(({ layers }) => layers))],
  };
}

function busyboxLayer(format: ImageFormat): Layer {
  const busybox = findProgram('busybox');
  if (busybox === undefined) throw new Error('busybox-static is not installed');
  return gzipLayer(format, [
    { kind: 'folder', name: 'bin/' },
    { kind: 'file', name: 'bin/busybox', content: readFileSync(busybox), executable: true },
    ...['sh', 'echo', 'cat', 'ls'].map((name): TarMember => ({
      kind: 'link',
      name: `bin/${name}`,
      target: 'busybox',
    })),
    { kind: 'folder', name: 'etc/' },
    { kind: 'file', name: 'etc/passwd', content: Buffer.from('root:x:0:0:root:/:/bin/sh\n') },
    ...['dev/', 'proc/', 'sys/', 'tmp/'].map((name): TarMember => ({ kind: 'folder', name })),
  ]);
}

function labelLayer(format: ImageFormat, label: string): Layer {
  return gzipLayer(format, [{ kind: 'file', name: 'label', content: Buffer.from(`${label}\n`) }]);
}

function gzipLayer(format: ImageFormat, members: readonly TarMember[]): Layer {
  const archive = tarArchive(members);
  const bytes = gzipSync(archive, { level: constants.Z_BEST_SPEED });
  const descriptor = describeContent(bytes, mediaTypesOf[format].layer);
  return { descriptor, bytes, diffId: sha256(archive) };
}

function assemble(
  format: ImageFormat,
  layers: readonly Layer[],
  platform: { readonly os: string; readonly architecture: string } = hostPlatform,
): ImageContent {
  const created = '1970-01-01T00:00:00Z';
  const config = Buffer.from(
    JSON.stringify({
      ...platform,
      created,
      config: { Env: ['PATH=/bin'], Cmd: ['/bin/echo', greeting] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created, created_by: 'wherry tests' })),
    }),
  );
  const configDescriptor = describeContent(config, mediaTypesOf[format].config);
  const document = { config: configDescriptor, layers: layers.map(({ descriptor }) => descriptor) };
  return {
    manifest: storeManifest(document, mediaTypesOf[format].manifest),
    children: [],
    blobs: new Map([
      [configDescriptor.digest, config],
      ...layers.map(({ descriptor, bytes }) => [descriptor.digest, bytes] as const),
    ]),
    layers: layers.map(({ descriptor }) => descriptor.digest),
  };
}
