import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from '../base/logger.ts';
import type { BlobReader, BlobSweeper } from '../blob/blob-store.ts';
import type { Digest } from '../oci/digest.ts';
import { manifestLinks, vouchedBlobs, type ManifestLinks } from '../oci/manifest-links.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { RepositoryKey, RevisionRecord, RevisionStore } from '../tag/tag-store.ts';
import type { CacheIndex } from './cache-index.ts';

export interface RebuildOptions {
  readonly index: CacheIndex;
  readonly blobs: BlobSweeper & BlobReader;
  readonly revisions: RevisionStore;
  readonly logger: Logger;
  /** Ends the rebuild with its reason. */
  readonly signal?: AbortSignal;
}

export interface RebuildSummary {
  readonly blobs: number;
  readonly revisions: number;
  /** Manifests that could not be read or parsed: what they name stays unlinked until an upstream confirms it. */
  readonly unreadable: number;
}

/** What the upstream client takes of a manifest; a revision can't be larger. */
const maxManifestBytes = 4 * 1024 * 1024;

/** Entries between two turns of the event loop. */
const batchSize = 32;

/**
 * Fills the index from what is on disk: each blob with its size and last use, each revision with the links to what its
 * manifest names. Blobs that no revision names stay under upstream '' and are evicted first. Holds one entry at a time,
 * may run beside pulls, and adds only: after an interruption it is simply run again.
 * Fails with StorageError when the blobs or revisions can't be listed, and with the reason of `signal`.
 */
export async function rebuildIndex(options: RebuildOptions): Promise<RebuildSummary> {
  const { index, blobs, revisions, logger, signal } = options;
  let blobCount = 0;
  let revisionCount = 0;
  let unreadable = 0;
  for await (const { digest, size, usedAtMs } of blobs.list()) {
    signal?.throwIfAborted();
    index.record({ digest, size, upstream: '', usedAtMs, children: [] });
    blobCount += 1;
    if (blobCount % batchSize === 0) await turn();
  }
  for await (const { key, record } of revisions.list()) {
    signal?.throwIfAborted();
    if (!(await restoreRevision(options, key, record))) unreadable += 1;
    revisionCount += 1;
    if (revisionCount % batchSize === 0) await turn();
  }
  const summary: RebuildSummary = { blobs: blobCount, revisions: revisionCount, unreadable };
  logger.info('the cache index was rebuilt', { ...summary });
  return summary;
}

/** False when the manifest is here and what it names could not be told. */
async function restoreRevision(
  { index, blobs, logger }: RebuildOptions,
  key: RepositoryKey,
  record: RevisionRecord,
): Promise<boolean> {
  const { digest, size, mediaType } = record;
  index.link(key, [{ digest, size }]);
  const usage = index.usage(digest);
  if (usage === undefined) return true; // evicted: the repository may still have it from its upstream

  const links = await linksOf({ blobs, logger }, digest, mediaType);
  const named = links === undefined ? [] : [...links.blobs, ...links.manifests];
  const vouched = links === undefined ? [] : vouchedBlobs(links);
  index.link(
    key,
    vouched.map((blob) => ({ digest: blob.digest, size: blob.size })),
  );
  const children = named.map((child) => child.digest);
  index.record({ ...usage, upstream: key.upstream, children });
  for (const child of children) {
    const orphan = index.usage(child);
    if (orphan?.upstream === '') index.record({ ...orphan, upstream: key.upstream });
  }
  return links !== undefined;
}

async function linksOf(
  { blobs, logger }: Pick<RebuildOptions, 'blobs' | 'logger'>,
  digest: Digest,
  mediaType: string,
): Promise<ManifestLinks | undefined> {
  try {
    const bytes = await readManifest(blobs, digest);
    const manifest = bytes && parseManifest(bytes, mediaType);
    if (manifest === undefined) {
      logger.warn('a stored manifest can not be parsed; what it names is not linked', { digest, mediaType });
      return undefined;
    }
    return manifestLinks(manifest);
  } catch (error) {
    logger.warn('a stored manifest can not be read; what it names is not linked', { digest, error });
    return undefined;
  }
}

async function readManifest(blobs: BlobReader, digest: Digest): Promise<Uint8Array | undefined> {
  const source = await blobs.open(digest);
  if (source === undefined) return undefined;
  try {
    if (source.length > maxManifestBytes) return undefined;
    const bytes = new Uint8Array(source.length);
    for (let filled = 0; filled < bytes.length;) filled += await source.read(bytes.subarray(filled));
    return bytes;
  } finally {
    await source.close();
  }
}
