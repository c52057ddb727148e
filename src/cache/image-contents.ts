import type { BlobReader } from '../blob/blob-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isEmptyBlob } from '../oci/empty-blob.ts';
import { isForeignLayer } from '../oci/manifest-links.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import type { RepositoryKey } from '../tag/tag-store.ts';
import type { HotManifest } from './hot-manifests.ts';
import type { ManifestShelf } from './manifest-shelf.ts';

/** `elsewhere`: a foreign layer, which clients fetch from its own address. */
export type BlobState = 'here' | 'missing' | 'elsewhere';

export interface BlobContents {
  readonly digest: Digest;
  readonly mediaType: string;
  /** In bytes, by its descriptor. */
  readonly size: number;
  readonly state: BlobState;
}

/** One image of an index, or the only one where there is no index. */
export interface PlatformContents {
  readonly digest: Digest;
  /** `linux/arm64/v8`; `undefined` where no index says it. */
  readonly platform: string | undefined;
  /** Whether its manifest is here; what it needs is unknown otherwise, and `blobs` empty. */
  readonly manifestHere: boolean;
  /** Whether its manifest and all its blobs are here. */
  readonly complete: boolean;
  readonly blobs: readonly BlobContents[];
}

/** What is here of one image. */
export interface ImageContents {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Whether a client can pull it with its upstream away: all of an image, one platform of an index. */
  readonly complete: boolean;
  /** Bytes here, manifests included; what several platforms share counts once. */
  readonly storedBytes: number;
  readonly platforms: readonly PlatformContents[];
  /** Everything it is made of, manifests and blobs, here or not, itself first. */
  readonly digests: ReadonlySet<Digest>;
}

const maxIndexDepth = 4;
/** Images of an index that are looked at; real ones have some twenty. */
const maxPlatforms = 500;

/** Builds and signing programs put their statements under this platform: no machine runs it. */
const noMachine = 'unknown/unknown';

interface Gathered {
  readonly platforms: PlatformContents[];
  readonly sizes: Map<Digest, number>;
  readonly digests: Set<Digest>;
}

/** Says what is here of an image, without asking its upstream and without counting as a use of it. */
export class ImageReader {
  readonly #shelf: Pick<ManifestShelf, 'peek'>;
  readonly #blobs: Pick<BlobReader, 'stat'>;

  constructor(options: { shelf: Pick<ManifestShelf, 'peek'>; blobs: Pick<BlobReader, 'stat'> }) {
    this.#shelf = options.shelf;
    this.#blobs = options.blobs;
  }

  /** `undefined` when its manifest is not here, or not known to belong to that repository. Fails with StorageError. */
  async read(key: RepositoryKey, digest: Digest): Promise<ImageContents | undefined> {
    const manifest = await this.#shelf.peek(key, digest);
    if (manifest === undefined) return undefined;
    const gathered: Gathered = { platforms: [], sizes: new Map(), digests: new Set() };
    await this.#gather(key, { manifest, platform: undefined, depth: 0 }, gathered);
    const { platforms, sizes, digests } = gathered;
    const runnable = platforms.filter(({ platform }) => platform !== noMachine);
    return {
      digest,
      mediaType: manifest.mediaType,
      complete: (runnable.length === 0 ? platforms : runnable).some(({ complete }) => complete),
      storedBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
      platforms,
      digests,
    };
  }

  async #gather(
    key: RepositoryKey,
    found: {
      readonly manifest: HotManifest;
      readonly platform: Platform | undefined;
      readonly depth: number;
    },
    into: Gathered,
  ): Promise<void> {
    const { manifest, platform, depth } = found;
    const { blobs, manifests } = manifest.links;
    into.digests.add(manifest.digest);
    into.sizes.set(manifest.digest, manifest.bytes.length);
    if (manifests.length === 0) {
      const contents = await this.#blobContents(blobs, into);
      into.platforms.push({
        digest: manifest.digest,
        platform: platform && formatPlatform(platform),
        manifestHere: true,
        complete: contents.every(({ state }) => state !== 'missing'),
        blobs: contents,
      });
      return;
    }
    for (const child of manifests) {
      if (into.platforms.length >= maxPlatforms) return;
      into.digests.add(child.digest);
      const here = depth < maxIndexDepth ? await this.#shelf.peek(key, child.digest) : undefined;
      if (here === undefined) into.platforms.push(absent(child));
      else await this.#gather(key, { manifest: here, platform: child.platform, depth: depth + 1 }, into);
    }
  }

  async #blobContents(blobs: readonly Descriptor[], into: Gathered): Promise<BlobContents[]> {
    const contents: BlobContents[] = [];
    for (const blob of blobs) {
      const { digest, mediaType, size } = blob;
      into.digests.add(digest);
      const stat = isEmptyBlob(digest) ? { size: 0 } : await this.#blobs.stat(digest);
      if (stat !== undefined) into.sizes.set(digest, stat.size);
      const state = stat !== undefined ? 'here' : isForeignLayer(blob) ? 'elsewhere' : 'missing';
      contents.push({ digest, mediaType, size, state });
    }
    return contents;
  }
}

function absent({ digest, platform }: Descriptor): PlatformContents {
  const name = platform && formatPlatform(platform);
  return { digest, platform: name, manifestHere: false, complete: false, blobs: [] };
}
