import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { Span } from '../base/range-set.ts';

/**
 * Reads from one upstream registry. Every method fails with UpstreamError and with nothing else; a 404 is the kind
 * `absent`. `signal` ends the call at once with the signal's reason as the error's cause.
 * Waits are limited inside: connecting, response headers, and the gap between two chunks of a body.
 */
export interface RegistryClient extends ManifestSource, BlobSource, ListingSource {}

export interface ManifestSource {
  /** HEAD, which Docker Hub does not count as a pull. The digest is `undefined` where the upstream sends none. */
  headManifest(repository: RepositoryName, reference: Reference, signal: AbortSignal): Promise<ManifestHead>;
  /**
   * GET. The bytes are exactly those received, at most 4 MiB (image-spec's limit is a registry's choice; more is
   * `malformed`), and hash to `digest`; where `reference` is a digest, to that one.
   */
  getManifest(
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<FetchedManifest>;
}

export interface ManifestHead {
  readonly digest: Digest | undefined;
  readonly mediaType: string;
  readonly size: number | undefined;
}

export interface FetchedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface BlobSource {
  headBlob(repository: RepositoryName, digest: Digest, signal: AbortSignal): Promise<BlobHead>;
  /**
   * GET, with `Range` when `span` is given. The answer says which bytes come: an upstream that ignores ranges
   * answers with `start` 0, and that is no error. The bytes are unverified. `signal` also ends the body.
   */
  getBlob(
    repository: RepositoryName,
    digest: Digest,
    options: { readonly span?: Span; readonly signal: AbortSignal },
  ): Promise<BlobStream>;
}

export interface BlobHead {
  readonly size: number;
}

export interface BlobStream {
  /** Position in the blob of the first byte of `chunks`. */
  readonly start: number;
  /** Length of the whole blob, `undefined` where the upstream does not tell. */
  readonly size: number | undefined;
  /**
   * The body; ends normally only after all announced bytes came, else throws UpstreamError. Leaving the loop early
   * drops the connection. Chunks are the consumer's to keep.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface ListingSource {
  /** All tags, in the upstream's order, following its `Link`s up to a limit of pages and bytes. */
  listTags(repository: RepositoryName, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * The referrers of a digest as an image index's bytes, from the API or, where the upstream lacks it, from the
   * fallback tag (distribution-spec, "Unavailable Referrers API"). No referrers is an index without manifests.
   */
  listReferrers(repository: RepositoryName, digest: Digest, signal: AbortSignal): Promise<ReferrersListing>;
}

export interface ReferrersListing {
  /** Descriptors as the upstream gave them, unknown fields included. */
  readonly manifests: readonly Readonly<Record<string, unknown>>[];
}

/** What is known of an upstream's health without asking it. */
export interface UpstreamHealth {
  /** True from the first outage until the next success or verdict. */
  readonly away: boolean;
  /** True while calls fail at once without being tried. */
  readonly breakerOpen: boolean;
  /** Monotonic time of its last answer, success or verdict; `undefined` before the first. */
  readonly answeredAtMs: number | undefined;
}
