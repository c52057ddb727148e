import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../programs/run-command.ts';

/** A file system in memory, of a size of its own, on a folder that is there. Needs root. */
export class SmallDisk implements AsyncDisposable {
  readonly #folder: string;
  readonly #readOnly: string[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async mount(folder: string, mebibytes: number): Promise<SmallDisk> {
    await runCommand('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]);
    return new SmallDisk(folder);
  }

  /** Takes so much of it that others can't. */
  async occupy(mebibytes: number): Promise<void> {
    await writeFile(this.#ballast, Buffer.alloc(mebibytes * 1024 * 1024));
  }

  /** Takes all that is left. */
  async fillUp(): Promise<void> {
    try {
      await writeFile(this.#ballast, Buffer.alloc(1024 * 1024 * 1024));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  async free(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  /** Refuses to open anything in these folders for writing. What is open already keeps a whole mount from changing. */
  async makeReadOnly(folders: readonly string[]): Promise<void> {
    for (const name of folders) {
      const folder = path.join(this.#folder, name);
      await runCommand('mount', ['--bind', folder, folder]);
      this.#readOnly.push(folder);
      await runCommand('mount', ['-o', 'remount,bind,ro', folder]);
    }
  }

  async makeWritable(): Promise<void> {
    for (const folder of this.#readOnly.splice(0)) await runCommand('umount', ['--lazy', folder]);
  }

  get #ballast(): string {
    return path.join(this.#folder, 'ballast');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.makeWritable();
    await runCommand('umount', ['--lazy', this.#folder]);
  }
}
