import type { RepositoryName } from '../oci/repository-name.ts';
import type { BlobSource } from '../upstream/registry-client.ts';

/** A place that a blob may be fetched from: one repository of one upstream. */
export interface BlobOrigin {
  /** The upstream's configured name. */
  readonly upstream: string;
  readonly repository: RepositoryName;
  readonly client: BlobSource;
}

export function isSameOrigin(one: BlobOrigin, other: BlobOrigin): boolean {
  return one.upstream === other.upstream && one.repository === other.repository;
}
