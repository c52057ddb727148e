import { join } from 'node:path';
import { digestAlgorithm, digestHex, parseDigest, type Digest, type DigestAlgorithm } from '../oci/digest.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import type { Tag } from '../oci/tag.ts';
import type { RepositoryKey } from './tag-store.ts';

/**
 * Where records lie below the root of a tag and revision store; the only place that knows.
 *
 *     <root>/                                                             0700, as all folders
 *       repositories/<upstream>/<repository>/_tags/<tag>                  0600; TagRecord as JSON
 *       repositories/<upstream>/<repository>/_revisions/<alg>/<hex>       0600; RevisionRecord as JSON
 *       repositories/.temp/<n>                                            0600; being written; emptied at opening
 *
 * No component of a repository name starts with an underscore, so that `_tags` and `_revisions` cannot be part of one.
 * An upstream is percent-encoded, and so is a dot in front: it cannot be `.temp`, `.` or `..`. Tags and upstreams are
 * case-sensitive, and the file system has to be: where `Latest` and `latest` are one file they would be one tag.
 */
export class RepositoryLayout {
  readonly root: string;
  readonly temp: string;
  readonly #repositories: string;

  constructor(root: string) {
    this.root = root;
    this.#repositories = join(root, 'repositories');
    this.temp = join(this.#repositories, '.temp');
  }

  /** Every folder that exists from the opening on, parents first. */
  get folders(): readonly string[] {
    return [this.root, this.#repositories, this.temp];
  }

  /** Where a walk over all records starts. */
  get repositories(): string {
    return this.#repositories;
  }

  /** Below it the tags of a repository, each a file of that name. */
  tagFolder(key: RepositoryKey): string {
    return join(this.#repository(key), '_tags');
  }

  /** Below it the revisions of a repository, each a file named by the digest's hexadecimal part. */
  revisionFolder(key: RepositoryKey, algorithm: DigestAlgorithm): string {
    return join(this.#repository(key), '_revisions', algorithm);
  }

  tagFile(key: RepositoryKey, tag: Tag): string {
    return join(this.tagFolder(key), tag);
  }

  revisionFile(key: RepositoryKey, digest: Digest): string {
    return join(this.revisionFolder(key, digestAlgorithm(digest)), digestHex(digest));
  }

  tempFile(serial: number): string {
    return join(this.temp, String(serial));
  }

  #repository({ upstream, repository }: RepositoryKey): string {
    return join(this.#repositories, encodeUpstream(upstream), repository);
  }
}

/** The inverse of `revisionFile`, from a path relative to `repositories`; `undefined` for a stranger's file. */
export function parseRevisionPath(
  relativePath: string,
): { readonly key: RepositoryKey; readonly digest: Digest } | undefined {
  const [, encodedUpstream, name, algorithm, hex] = revisionPath.exec(relativePath) ?? [];
  if (encodedUpstream === undefined || name === undefined) return undefined;
  const upstream = decodeUpstream(encodedUpstream);
  const repository = parseRepositoryName(name);
  const digest = parseDigest(`${algorithm}:${hex}`);
  if (upstream === undefined || repository === undefined || digest === undefined) return undefined;
  return { key: { upstream, repository }, digest };
}

/** The repository that a folder of revisions, relative to `repositories`, belongs to; `undefined` for a stranger's. */
export function parseRevisionsFolder(relativePath: string): RepositoryKey | undefined {
  const [, encodedUpstream, name] = revisionsFolder.exec(relativePath) ?? [];
  if (encodedUpstream === undefined || name === undefined) return undefined;
  const upstream = decodeUpstream(encodedUpstream);
  const repository = parseRepositoryName(name);
  return upstream === undefined || repository === undefined ? undefined : { upstream, repository };
}

const revisionsFolder = /^([^/]+)\/(.+)\/_revisions$/;
const revisionPath = /^([^/]+)\/(.+)\/_revisions\/([^/]+)\/([^/]+)$/;

function encodeUpstream(upstream: string): string {
  return encodeURIComponent(upstream).replace(/^\./, '%2E');
}

function decodeUpstream(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined; // a stranger's folder
  }
}
