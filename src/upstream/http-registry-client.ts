import type { Span } from '../base/range-set.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type {
  BlobHead,
  BlobSource,
  BlobStream,
  FetchedManifest,
  ListingSource,
  ManifestHead,
  ManifestSource,
  ReferrersListing,
  RegistryClient,
} from './registry-client.ts';

/** A RegistryClient of its three parts. */
export class HttpRegistryClient implements RegistryClient {
  readonly #manifests: ManifestSource;
  readonly #blobs: BlobSource;
  readonly #listings: ListingSource;

  constructor(parts: { manifests: ManifestSource; blobs: BlobSource; listings: ListingSource }) {
    this.#manifests = parts.manifests;
    this.#blobs = parts.blobs;
    this.#listings = parts.listings;
  }

  async headManifest(
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<ManifestHead> {
    return this.#manifests.headManifest(repository, reference, signal);
  }

  async getManifest(
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<FetchedManifest> {
    return this.#manifests.getManifest(repository, reference, signal);
  }

  async headBlob(repository: RepositoryName, digest: Digest, signal: AbortSignal): Promise<BlobHead> {
    return this.#blobs.headBlob(repository, digest, signal);
  }

  async getBlob(
    repository: RepositoryName,
    digest: Digest,
    options: { readonly span?: Span; readonly signal: AbortSignal },
  ): Promise<BlobStream> {
    return this.#blobs.getBlob(repository, digest, options);
  }

  async listTags(repository: RepositoryName, signal: AbortSignal): Promise<readonly string[]> {
    return this.#listings.listTags(repository, signal);
  }

  async listReferrers(
    repository: RepositoryName,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<ReferrersListing> {
    return this.#listings.listReferrers(repository, digest, signal);
  }
}
