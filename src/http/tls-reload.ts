import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { checkTlsFiles, type TlsFiles, type TlsSource } from './tls-files.ts';

export interface TlsReloadOptions {
  /** Names the listener in logs. */
  readonly listener: string;
  readonly source: TlsSource;
  /** Gives new connections the new certificate. Those that are open keep theirs. */
  readonly apply: (files: TlsFiles) => void;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Looks now and then whether a listener's certificate changed, and puts it in place. What cannot be used is logged once
 * and left alone until the files change again: certificate and key are rarely written in the same moment.
 */
export class TlsReload {
  readonly #options: TlsReloadOptions;
  readonly #stopped = new AbortController();
  #seen: string | undefined;
  #complaint: string | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: TlsReloadOptions) {
    this.#options = options;
  }

  /** `stamp` is that of the files which the listener was opened with. */
  start(stamp: string): void {
    this.#seen = stamp;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await clock.sleep(intervalMs, signal);
      } catch {
        return; // stopped
      }
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { source, apply, logger, listener } = this.#options;
    try {
      const stamp = await source.stamp();
      if (stamp === this.#seen) return;
      const files = await source.read();
      // Written while it was read: the next look finds it whole.
      if ((await source.stamp()) !== stamp) return;
      this.#seen = stamp;
      checkTlsFiles(files);
      apply(files);
      this.#complaint = undefined;
      logger.info('certificate reloaded', { listener });
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    const { logger, listener } = this.#options;
    const text = String(error);
    const complaint = `${this.#seen} ${text}`;
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    logger.error('certificate not reloaded: the old one stays in use', { listener, error });
  }
}
