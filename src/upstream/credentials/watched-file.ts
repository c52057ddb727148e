import type { Clock } from '../../base/clock.ts';
import { errorFields } from '../../base/error-fields.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { Logger } from '../../base/logger.ts';
import { readSmallFile } from '../../base/small-file.ts';
import { UpstreamError } from '../upstream-error.ts';

export interface WatchedFileOptions {
  readonly path: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly logger: Logger;
}

const maxBytes = 1024 * 1024;
const lookEveryMs = 1_000;

/** A file may change once more within one tick of its time stamp; FAT keeps times in steps of two seconds. */
const stampStepMs = 2_000;

interface Version {
  readonly text: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Read so soon after it changed that a further change might not show in its time stamp. */
  readonly isYoung: boolean;
}

/** A small text file that an administrator may replace. Looked at once a second at most, read when it changed. */
export class WatchedFile {
  readonly #options: WatchedFileOptions;
  #version: Version | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #look: Promise<string> | undefined;

  constructor(options: WatchedFileOptions) {
    this.#options = options;
  }

  /**
   * Without the line end that editors put after the last line. While the file is missing or unreadable, as in the middle
   * of being replaced, the last text holds. Fails with UpstreamError `credential` where there never was one.
   */
  async text(): Promise<string> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#look === undefined || nowMs - this.#lookedAtMs >= lookEveryMs) {
      this.#lookedAtMs = nowMs;
      this.#look = this.#current();
      // Whoever awaits it is told; this only keeps one that nobody awaits any more from ending the process.
      this.#look.catch(() => undefined);
    }
    return this.#look;
  }

  async #current(): Promise<string> {
    const { path, logger } = this.#options;
    try {
      this.#version = await this.#newest();
    } catch (error) {
      if (this.#version === undefined) {
        throw new UpstreamError('credential', `cannot read ${path}`, { cause: error });
      }
      logger.warn('a file with a secret cannot be read; its last content is used', {
        path,
        error: errorFields(error),
      });
    }
    return this.#version.text;
  }

  async #newest(): Promise<Version> {
    const { path, files, clock } = this.#options;
    const { size, mtimeMs } = await files.stat(path);
    const known = this.#version;
    if (known !== undefined && !known.isYoung && known.size === size && known.mtimeMs === mtimeMs)
      return known;
    const bytes = await readSmallFile(files, path, maxBytes);
    if (bytes === undefined) throw new Error(`${path} went away`);
    if (bytes.length > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes`);
    const text = Buffer.from(bytes)
      .toString('utf8')
      .replace(/\r?\n$/, '');
    if (text === '') throw new Error(`${path} is empty`);
    return { text, size, mtimeMs, isYoung: clock.nowMs() - mtimeMs < stampStepMs };
  }
}
