import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FakeImage } from '../fakes/images.ts';
import { waitUntil } from '../programs/wait-until.ts';

/** Every file below a folder, relative to it; a folder that is not there has none. */
export async function filesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Digests of what an edge has committed, and of those the ones whose bytes are others. */
export async function storedBlobs(dataFolder: string): Promise<{ digests: string[]; damaged: string[] }> {
  const folder = path.join(dataFolder, 'blobs');
  const digests: string[] = [];
  const damaged: string[] = [];
  for (const file of await filesBelow(folder)) {
    const [algorithm = '', , hex = ''] = file.split(path.sep);
    const digest = `${algorithm}:${hex}`;
    digests.push(digest);
    const hash = createHash(algorithm);
    await pipeline(createReadStream(path.join(folder, file)), hash);
    if (hash.digest('hex') !== hex) damaged.push(digest);
  }
  return { digests, damaged };
}

/** Clients have their last byte before the disk has: waits until all blobs of an image are committed. */
export async function untilStored(dataFolder: string, { blobs }: FakeImage): Promise<void> {
  const missing = (): boolean => blobs.some(({ digest }) => !existsSync(blobFile(dataFolder, digest)));
  await waitUntil(() => (missing() ? undefined : true), {
    what: 'all blobs stored',
    timeoutMs: 30_000,
    intervalMs: 10,
  });
}

/** Where an edge keeps a committed blob. */
export function blobFile(dataFolder: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return path.join(dataFolder, 'blobs', algorithm, hex.slice(0, 2), hex);
}

/** What downloads that did not end have left. */
export async function unfinishedFiles(dataFolder: string): Promise<string[]> {
  const found = await Promise.all(
    ['partials', 'temp', path.join('repositories', '.temp')].map(async (folder) =>
      (await filesBelow(path.join(dataFolder, folder))).map((file) => path.join(folder, file)),
    ),
  );
  return found.flat();
}
