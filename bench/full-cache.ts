import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { createPrometheusMetrics } from '../src/base/prometheus-metrics.ts';
import { DiskLayout } from '../src/blob/disk-layout.ts';
import { openSqliteCacheIndex } from '../src/cache/sqlite-cache-index.ts';
import { parseDigest, type Digest } from '../src/oci/digest.ts';
import { parseRepositoryName } from '../src/oci/repository-name.ts';

const upstream = 'docker.io';
const linksAtOnce = 500;

/**
 * Fills an edge's data folder with small blobs, all linked in `repository`, as if it had fetched them; gives their
 * digests. Written past the edge: fetching that many would take minutes.
 */
export async function fillCache(data: string, repository: string, count: number): Promise<readonly Digest[]> {
  const layout = new DiskLayout(data);
  const name = parseRepositoryName(repository);
  if (name === undefined) throw new Error(`${repository} is no repository name`);
  const opened = openSqliteCacheIndex({
    file: path.join(data, 'index.sqlite'),
    clock: systemClock,
    logger: silentLogger,
    metrics: createPrometheusMetrics(),
    maxHotLinks: 1_000,
    maxLinks: 5_000_000,
    maxPendingTouches: 250,
    touchFlushMs: 5_000,
    maxListingBytes: 1_000_000,
  });
  const { index } = opened;
  const digests: Digest[] = [];
  for (let done = 0; done < count; done += linksAtOnce) {
    const blobs = Array.from({ length: Math.min(linksAtOnce, count - done) }, (_, offset) =>
      smallBlob(done + offset),
    );
    for (const { digest, bytes } of blobs) {
      await mkdir(layout.blobFolder(digest), { recursive: true });
      await writeFile(layout.blob(digest), bytes, { mode: 0o440 });
      index.record({ digest, size: bytes.length, upstream, usedAtMs: done, children: [] });
    }
    index.link(
      { upstream, repository: name },
      blobs.map(({ digest, bytes }) => ({ digest, size: bytes.length })),
    );
    digests.push(...blobs.map(({ digest }) => digest));
  }
  opened.markRebuilt();
  index.close();
  return digests;
}

function smallBlob(serial: number): { digest: Digest; bytes: Buffer } {
  const bytes = Buffer.from(`small blob ${serial}\n`.padEnd(512, '.'));
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  if (digest === undefined) throw new Error('the hash of a small blob is no digest');
  return { digest, bytes };
}
