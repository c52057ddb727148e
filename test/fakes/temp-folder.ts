import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempFolder {
  readonly path: string;
  remove(this: void): Promise<void>;
}

/** An empty folder of its own, below the system's place for such. */
export async function makeTempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'wherry-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
