/** Media types by the names of image-spec (media-types.md) and of Docker's manifest v2 documents. */
export const ociIndexType = 'application/vnd.oci.image.index.v1+json';
export const ociManifestType = 'application/vnd.oci.image.manifest.v1+json';
export const dockerListType = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const dockerManifestType = 'application/vnd.docker.distribution.manifest.v2+json';

/** Dead, and passed through as bytes: their digest does not cover what is sent (schema 1 is signed around it). */
export const dockerSchema1Type = 'application/vnd.docker.distribution.manifest.v1+json';
export const dockerSignedSchema1Type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
/** Withdrawn from image-spec 1.1 before its release, and stored in registries all the same. */
export const ociArtifactManifestType = 'application/vnd.oci.artifact.manifest.v1+json';
export const orasArtifactManifestType = 'application/vnd.cncf.oras.artifact.manifest.v1+json';

export const ociConfigType = 'application/vnd.oci.image.config.v1+json';
export const ociEmptyType = 'application/vnd.oci.empty.v1+json';
export const dockerConfigType = 'application/vnd.docker.container.image.v1+json';
export const octetStreamType = 'application/octet-stream';

/** Layers that registries need not hold: image-spec has deprecated them, Windows images still carry them. */
const nonDistributableTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
]);

/**
 * The one `Accept` to ask upstreams for manifests with, whoever the client is: what is cached must not depend on who
 * came first. Indexes first, since some registries pick the first match; one header field, since some read only one.
 */
export const manifestAccept = [
  ociIndexType,
  dockerListType,
  ociManifestType,
  dockerManifestType,
  ociArtifactManifestType,
].join(', ');

/** Takes a normalised type. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === ociIndexType || mediaType === dockerListType;
}

/** Takes a normalised type. */
export function isImageManifestType(mediaType: string): boolean {
  return mediaType === ociManifestType || mediaType === dockerManifestType;
}

/** Takes a normalised type. */
export function isNonDistributableType(mediaType: string): boolean {
  return nonDistributableTypes.has(mediaType);
}

/** Without parameters and in lower case (RFC 9110, section 8.3.1), ready to compare. */
export function normaliseMediaType(text: string): string {
  const semicolon = text.indexOf(';');
  return (semicolon === -1 ? text : text.slice(0, semicolon)).trim().toLowerCase();
}
