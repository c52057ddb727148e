import type { Descriptor } from './descriptor.ts';
import type { ParsedManifest } from './manifest.ts';
import { isNonDistributableType, normaliseMediaType } from './media-type.ts';

export interface ManifestLinks {
  /** Config first, then layers, in the manifest's order; foreign layers included. */
  readonly blobs: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
}

/** What must be there for a manifest to be usable. Its subject is not: that may be missing for ever. */
export function manifestLinks(manifest: ParsedManifest): ManifestLinks {
  switch (manifest.kind) {
    case 'image':
      return {
        blobs: [...(manifest.config === undefined ? [] : [manifest.config]), ...manifest.layers],
        manifests: [],
      };
    case 'index':
      return { blobs: [], manifests: manifest.manifests };
    case 'opaque':
      return { blobs: [], manifests: [] };
  }
}

/**
 * The blobs that a registry vouches for by serving the manifest: it had them in that repository when the manifest came.
 * Not so foreign layers, nor what an index names (a registry may accept an index before its parts): those may name
 * anything by digest, content of other repositories included.
 */
export function vouchedBlobs({ blobs }: ManifestLinks): readonly Descriptor[] {
  return blobs.filter((blob) => !isForeignLayer(blob));
}

/** A layer that its registry need not hold, and that clients fetch from its `urls`. */
export function isForeignLayer(descriptor: Descriptor): boolean {
  return (
    (descriptor.urls?.length ?? 0) > 0 || isNonDistributableType(normaliseMediaType(descriptor.mediaType))
  );
}
