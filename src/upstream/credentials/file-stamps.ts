import type { Clock } from '../../base/clock.ts';
import type { FileSystem } from '../../base/file-system.ts';
import { systemErrorCode } from '../../base/storage-error.ts';

const lookEveryMs = 1_000;

/** Tells whether files changed that a library reads by itself. Looks once a second at most. */
export class FileStamps {
  readonly #paths: readonly string[];
  readonly #files: FileSystem;
  readonly #clock: Clock;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #stamps: Promise<string> = Promise.resolve('');

  constructor(paths: readonly string[], { files, clock }: { files: FileSystem; clock: Clock }) {
    this.#paths = paths;
    this.#files = files;
    this.#clock = clock;
  }

  /** Differs when one of the files was changed, came or went. Never fails. */
  async read(): Promise<string> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lookedAtMs >= lookEveryMs) {
      this.#lookedAtMs = nowMs;
      this.#stamps = this.#look();
    }
    return this.#stamps;
  }

  async #look(): Promise<string> {
    const stamps = await Promise.all(this.#paths.map(async (path) => this.#stamp(path)));
    return stamps.join(' ');
  }

  async #stamp(path: string): Promise<string> {
    try {
      const { size, mtimeMs } = await this.#files.stat(path);
      return `${size}@${mtimeMs}`;
    } catch (error) {
      // The library that reads the file says what is wrong with it.
      return systemErrorCode(error) ?? 'unreadable';
    }
  }
}
