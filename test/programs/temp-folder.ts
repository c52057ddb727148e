import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder of a suite's own below the machine's temporary folder; removed with all it holds. Paths stay short: sockets live here. */
export class TempFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(label: string): Promise<TempFolder> {
    return new TempFolder(await mkdtemp(path.join(tmpdir(), `wherry-${label}-`)));
  }

  /** The path of a subfolder, created when missing. */
  async folder(...names: string[]): Promise<string> {
    const folder = path.join(this.path, ...names);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  file(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
