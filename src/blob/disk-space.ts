import type { Clock } from '../base/clock.ts';
import type { FileSystem } from '../base/file-system.ts';
import { StorageFullError, storageErrorFrom } from '../base/storage-error.ts';

/** A `statfs` per chunk would cost more than the chunk: what it said counts for this long and for this many bytes. */
const askAgainAfterMs = 1000;
const askAgainAfterBytes = 64 * 1024 * 1024;

export interface DiskSpaceOptions {
  readonly files: FileSystem;
  /** Any folder of the file system in question. */
  readonly path: string;
  /** Claims fail that would leave less than this free. */
  readonly reserveBytes: number;
  readonly clock: Clock;
}

/** How much room the file system has. All methods fail with StorageError when it can't be asked. */
export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  #freeBytes = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #claimedBytes = 0;
  #asking: Promise<void> | undefined;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
  }

  /** Bytes that are free for us now, the reserve included. */
  async freeBytes(): Promise<number> {
    await this.#ask();
    return this.#freeBytes;
  }

  /** Size of the file system. */
  async capacityBytes(): Promise<number> {
    const { bsize, blocks } = await this.#statfs();
    return bsize * blocks;
  }

  /** Says that `byteCount` bytes are about to be written. Fails with StorageFullError when the reserve would suffer. */
  async claim(byteCount: number): Promise<void> {
    const { reserveBytes, clock } = this.#options;
    if (reserveBytes === 0) return;
    const isOld = clock.monotonicMs() - this.#askedAtMs >= askAgainAfterMs;
    if (isOld || this.#claimedBytes >= askAgainAfterBytes) await this.#ask();
    const leftBytes = this.#freeBytes - this.#claimedBytes - byteCount;
    if (leftBytes < reserveBytes) {
      throw new StorageFullError(
        `writing ${byteCount} bytes would leave ${leftBytes} bytes free, less than the reserve of ${reserveBytes}`,
      );
    }
    this.#claimedBytes += byteCount;
  }

  /** Calls that come while one is under way share its answer. */
  async #ask(): Promise<void> {
    this.#asking ??= this.#refresh().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #refresh(): Promise<void> {
    const { bsize, bavail } = await this.#statfs();
    this.#freeBytes = bsize * bavail;
    this.#askedAtMs = this.#options.clock.monotonicMs();
    this.#claimedBytes = 0;
  }

  async #statfs(): ReturnType<FileSystem['statfs']> {
    try {
      return await this.#options.files.statfs(this.#options.path);
    } catch (error) {
      throw storageErrorFrom(error, 'ask how much space is free');
    }
  }
}
