import { gzipSync } from 'node:zlib';
import {
  describeContent,
  mediaTypesOf,
  storeManifest,
  type ContentDescriptor,
  type ImageContent,
} from './image-content.ts';
import { tarArchive } from './tar-archive.ts';

interface Part {
  readonly descriptor: ContentDescriptor;
  /** Absent for what lies elsewhere. */
  readonly bytes?: Buffer;
}

/** An artifact of one file without content: the shortest blob there is. */
export function emptyFileArtifact(): ImageContent {
  return artifact({
    artifactType: 'application/vnd.example.marker',
    config: part('{}', 'application/vnd.oci.empty.v1+json'),
    layers: [part('', 'application/octet-stream')],
  });
}

/** What `helm push` sends (helm.sh/docs/topics/registries): a chart, described by its Chart.yaml as JSON. */
export function helmChart(): ImageContent {
  const chart = Buffer.from('apiVersion: v2\nname: ferry\nversion: 1.2.3\n');
  const archive = gzipSync(tarArchive([{ kind: 'file', name: 'ferry/Chart.yaml', content: chart }]));
  return artifact({
    config: part(
      '{"name":"ferry","version":"1.2.3","apiVersion":"v2"}',
      'application/vnd.cncf.helm.config.v1+json',
    ),
    layers: [part(archive, 'application/vnd.cncf.helm.chart.content.v1.tar+gzip')],
  });
}

/** An image one of whose layers is named by URLs and not held by the registry (image-spec descriptor.md, `urls`). */
export function foreignLayerImage(url: string): ImageContent {
  const own = gzipSync(tarArchive([{ kind: 'file', name: 'own', content: Buffer.from('own\n') }]));
  const foreign = describeContent(
    Buffer.from('lies elsewhere'),
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  );
  return artifact({
    config: part('{"os":"linux","architecture":"amd64"}', mediaTypesOf.oci.config),
    layers: [part(own, mediaTypesOf.oci.layer), { descriptor: { ...foreign, urls: [url] } }],
  });
}

function part(content: string | Buffer, mediaType: string): Part {
  const bytes = Buffer.from(content);
  return { descriptor: describeContent(bytes, mediaType), bytes };
}

function artifact(parts: {
  readonly artifactType?: string;
  readonly config: Part;
  readonly layers: readonly Part[];
}): ImageContent {
  const { config, layers, ...rest } = parts;
  const document = { ...rest, config: config.descriptor, layers: layers.map(({ descriptor }) => descriptor) };
  const held = [config, ...layers].flatMap(({ descriptor, bytes }) =>
    bytes === undefined ? [] : [[descriptor.digest, bytes] as const],
  );
  return {
    manifest: storeManifest(document, mediaTypesOf.oci.manifest),
    children: [],
    blobs: new Map(held),
    layers: layers.flatMap(({ descriptor, bytes }) => (bytes === undefined ? [] : [descriptor.digest])),
  };
}
