import { join } from 'node:path';
import type { DiskEntry, FileSystem, DiskStat } from '../base/file-system.ts';
import { storageErrorFrom, systemErrorCode } from '../base/storage-error.ts';
import { parseDigest } from '../oci/digest.ts';
import type { BlobEntry } from './blob-store.ts';
import { type DiskLayout, parsePartialName } from './disk-layout.ts';

/** Each committed blob, one folder open at a time beside its parents; files that are no blobs are passed over. */
export async function* listDiskBlobs(files: FileSystem, layout: DiskLayout): AsyncGenerator<BlobEntry> {
  for (const algorithm of ['sha256', 'sha512']) {
    const algorithmFolder = join(layout.blobs, algorithm);
    for await (const { name: fan } of entries(files, algorithmFolder)) {
      for await (const { name: hex } of entries(files, join(algorithmFolder, fan))) {
        const digest = parseDigest(`${algorithm}:${hex}`);
        if (digest === undefined) continue;
        const stat = await statIfThere(files, layout.blob(digest));
        if (stat !== undefined) yield { digest, size: stat.size, usedAtMs: usedAtMs(stat) };
      }
    }
  }
}

/** Each unfinished blob, held or not, with the bytes that its sparse file takes. */
export async function* listDiskPartials(files: FileSystem, layout: DiskLayout): AsyncGenerator<BlobEntry> {
  for await (const { name } of entries(files, layout.partials)) {
    const partial = parsePartialName(name);
    if (partial?.kind !== 'part') continue;
    const stat = await statIfThere(files, layout.part(partial.digest));
    if (stat !== undefined) {
      yield { digest: partial.digest, size: stat.blocks * 512, usedAtMs: usedAtMs(stat) };
    }
  }
}

/** Access times may be off (`noatime`) or a day late (`relatime`): the hint is at least the time of writing. */
function usedAtMs({ atimeMs, mtimeMs }: DiskStat): number {
  return Math.floor(Math.max(atimeMs, mtimeMs));
}

async function* entries(files: FileSystem, folder: string): AsyncGenerator<DiskEntry> {
  try {
    yield* await files.opendir(folder);
  } catch (error) {
    const code = systemErrorCode(error);
    // Removed meanwhile, or a stranger's file where a folder is expected.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw storageErrorFrom(error, 'list blobs');
  }
}

async function statIfThere(files: FileSystem, path: string): Promise<DiskStat | undefined> {
  try {
    return await files.stat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw storageErrorFrom(error, 'list blobs');
  }
}
