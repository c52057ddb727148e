import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';

export interface SampleBlob {
  readonly digest: string;
  readonly file: string;
  readonly size: number;
}

const blockBytes = 1024 * 1024;

/** Writes a blob of noise below `folder`, in a file called after its digest. */
export async function writeSampleBlob(folder: string, size: number): Promise<SampleBlob> {
  await mkdir(folder, { recursive: true });
  const draft = path.join(folder, 'draft');
  const hash = createHash('sha256');
  // One block of noise, made different each time: making 300 MB of it would take longer than what is measured.
  const block = randomBytes(blockBytes);
  await using file = await open(draft, 'w');
  for (let written = 0; written < size; written += blockBytes) {
    block.writeUInt32LE(written / blockBytes);
    const part = block.subarray(0, Math.min(blockBytes, size - written));
    hash.update(part);
    await file.write(part);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  const target = path.join(folder, digest);
  await rename(draft, target);
  return { digest, file: target, size };
}
