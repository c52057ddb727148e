import { join } from 'node:path';
import { type FileSystem, makeFolder, unlinkIfThere } from '../base/file-system.ts';
import type { Digest } from '../oci/digest.ts';
import { type DiskLayout, parsePartialName } from './disk-layout.ts';

/**
 * Makes the folders of a store and removes what a crash can leave: temporary files, and parts without a record (nothing
 * in them is believed) or records without a part. Looks at no blob. Fails with the system's errors.
 */
export async function prepareDiskFolders(files: FileSystem, layout: DiskLayout): Promise<void> {
  for (const folder of layout.folders) await makeFolder(files, folder);
  for (const name of await entryNames(files, layout.temp)) {
    await unlinkIfThere(files, join(layout.temp, name));
  }
  await removeUnpaired(files, layout);
}

async function removeUnpaired(files: FileSystem, layout: DiskLayout): Promise<void> {
  const found = { part: new Set<Digest>(), ranges: new Set<Digest>() };
  for (const name of await entryNames(files, layout.partials)) {
    const partial = parsePartialName(name);
    if (partial !== undefined) found[partial.kind].add(partial.digest);
  }
  for (const digest of found.part) {
    if (!found.ranges.has(digest)) await unlinkIfThere(files, layout.part(digest));
  }
  for (const digest of found.ranges) {
    if (!found.part.has(digest)) await unlinkIfThere(files, layout.ranges(digest));
  }
}

async function entryNames(files: FileSystem, folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of await files.opendir(folder)) names.push(entry.name);
  return names;
}
