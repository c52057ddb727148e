import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import { manifestLinks, type ManifestLinks } from '../oci/manifest-links.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { RepositoryKey } from '../tag/tag-store.ts';

/** A manifest in memory, under the repository that links it. */
export interface HotManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly links: ManifestLinks;
  /** The eviction count at which everything it names was here: holds until something is removed. */
  completeAt: number | undefined;
}

const noLinks: ManifestLinks = { blobs: [], manifests: [] };

/** A document that no parser of ours accepts passes through like any unknown type: as bytes, linking nothing. */
export function hotManifest(digest: Digest, mediaType: string, bytes: Uint8Array): HotManifest {
  const parsed = parseManifest(bytes, mediaType);
  const links = parsed === undefined ? noLinks : manifestLinks(parsed);
  return { digest, mediaType, bytes, links, completeAt: undefined };
}

/** Object and map overhead of an entry, and of each descriptor in it, roughly. */
const entryBytes = 500;
const linkBytes = 400;

/** The manifests asked for most recently, bounded by bytes. */
export class HotManifests {
  readonly #manifests: LRUCache<string, HotManifest>;
  /** One for each repository: content leaves the store by digest, and often. */
  readonly #namesOf = new Map<Digest, Set<string>>();

  constructor(maxBytes: number) {
    this.#manifests = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes, links }) =>
        bytes.length + entryBytes + (links.blobs.length + links.manifests.length) * linkBytes,
      dispose: ({ digest }, name) => {
        const names = this.#namesOf.get(digest);
        names?.delete(name);
        if (names?.size === 0) this.#namesOf.delete(digest);
      },
    });
  }

  get(key: RepositoryKey, digest: Digest): HotManifest | undefined {
    return this.#manifests.get(nameOf(key, digest));
  }

  put(key: RepositoryKey, manifest: HotManifest): void {
    const { digest } = manifest;
    const name = nameOf(key, digest);
    this.#manifests.set(name, manifest);
    if (!this.#manifests.has(name)) return; // larger than all there is room for
    const names = this.#namesOf.get(digest) ?? new Set();
    this.#namesOf.set(digest, names.add(name));
  }

  forget(digest: Digest): void {
    for (const name of this.#namesOf.get(digest) ?? []) this.#manifests.delete(name);
  }

  forgetAll(key: RepositoryKey): void {
    const prefix = nameOf(key, '');
    for (const name of this.#manifests.keys()) if (name.startsWith(prefix)) this.#manifests.delete(name);
  }
}

/** A space stands in neither part. */
function nameOf(key: RepositoryKey, reference: string): string {
  return `${key.upstream} ${key.repository} ${reference}`;
}
