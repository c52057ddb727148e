import { randomBytes } from 'node:crypto';
import {
  describeContent,
  mediaTypesOf,
  storeManifest,
  type ImageContent,
} from '../test/programs/image-content.ts';

/** An image of two small layers: its manifest has about as many bytes as that of most single-purpose images. */
export function sampleImage(): ImageContent {
  const types = mediaTypesOf.oci;
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' } }),
  );
  const layers = [randomBytes(2_000), randomBytes(3_000)];
  const configDescriptor = describeContent(config, types.config);
  const descriptors = layers.map((bytes) => describeContent(bytes, types.layer));
  const blobs = new Map([[configDescriptor.digest, config]]);
  for (const [index, { digest }] of descriptors.entries()) blobs.set(digest, layers[index] ?? Buffer.of());
  return {
    manifest: storeManifest({ config: configDescriptor, layers: descriptors }, types.manifest),
    children: [],
    blobs,
    layers: descriptors.map(({ digest }) => digest),
  };
}
