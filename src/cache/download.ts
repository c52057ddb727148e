import { backoffDelayMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Span } from '../base/range-set.ts';
import type { BlobStream } from '../upstream/registry-client.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import type { Assembly } from './assembly.ts';
import type { BlobOrigin } from './blob-origin.ts';

export interface RetryPolicy {
  /** Tries without 64 KiB of new bytes before the download fails. A download that has brought nothing yet fails at once. */
  readonly attempts: number;
  readonly firstMs: number;
  readonly maxMs: number;
}

export interface DownloadOptions {
  readonly assembly: Assembly;
  /** Tried in turn when one refuses; may grow while the download runs. Never empty. */
  readonly origins: readonly BlobOrigin[];
  /** Told each time an origin has answered with the blob, before any of its bytes count. */
  readonly servedBy: (origin: BlobOrigin) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly retry: RetryPolicy;
}

/** An upstream that brings less than this between failures is not getting anywhere. */
const progressBytes = 64 * 1024;

/** Share of a blob that may be read twice rather than break a running transfer over a small stretch already here. */
const readThroughShare = 0.02;

/**
 * Brings what is missing of one blob, front to back: one plain GET when nothing is here, ranges else. Continues after
 * the upstream was lost. Does not verify.
 */
export class Download {
  readonly #options: DownloadOptions;
  #origin = 0;
  #streams = 0;
  #position: number | undefined;
  #readThroughBytes = 0;

  constructor(options: DownloadOptions) {
    this.#options = options;
  }

  /** Where the running transfer stands; `undefined` before the upstream has answered. */
  get position(): number | undefined {
    return this.#position;
  }

  /** How many transfers brought the bytes. */
  get streams(): number {
    return this.#streams;
  }

  /**
   * Resolves when every byte has arrived, or a disk write has failed (`assembly.diskError`). `adopted` is a transfer
   * that is already running. Fails with UpstreamError, or with the signal's reason.
   */
  async run(signal: AbortSignal, adopted?: BlobStream): Promise<void> {
    const { assembly } = this.#options;
    let failures = 0;
    let progressFrom = assembly.arrivedBytes;
    let stream = adopted;
    while (assembly.diskError === undefined) {
      signal.throwIfAborted();
      const next = this.#next();
      if (next === 'complete') return;
      if (next === 'coming') {
        await assembly.progress.wait();
        continue;
      }
      const before = assembly.arrivedBytes;
      try {
        await this.#transfer(next, signal, stream);
        if (assembly.size !== 0 && assembly.arrivedBytes === before && assembly.diskError === undefined) {
          throw new UpstreamError('malformed', 'the upstream answered without any of the bytes asked for');
        }
        failures = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (assembly.arrivedBytes - progressFrom >= progressBytes) {
          failures = 0;
          progressFrom = assembly.arrivedBytes;
        }
        failures = await this.#afterFailure(error, failures, signal);
      }
      stream = undefined;
    }
  }

  #next(): Span | 'whole' | 'complete' | 'coming' {
    const { assembly } = this.#options;
    if (assembly.size === undefined || (assembly.arrivedBytes === 0 && !assembly.hasClaims)) {
      return assembly.size === 0 && this.#streams > 0 ? 'complete' : 'whole';
    }
    const missing = assembly.unclaimed({ start: 0, end: assembly.size })[0];
    if (missing !== undefined) return missing;
    return assembly.hasClaims ? 'coming' : 'complete';
  }

  /** A body that is not read to its end holds its connection until its signal aborts: so that always does. */
  async #transfer(
    wanted: Span | 'whole',
    signal: AbortSignal,
    adopted: BlobStream | undefined,
  ): Promise<void> {
    const ended = new AbortController();
    try {
      const stream = adopted ?? (await this.#open(wanted, AbortSignal.any([signal, ended.signal])));
      const honoursRanges = adopted === undefined && (wanted === 'whole' || wanted.start === stream.start);
      await this.#receive(stream, { honoursRanges, signal });
    } finally {
      ended.abort();
    }
  }

  async #receive(
    stream: BlobStream,
    { honoursRanges, signal }: { readonly honoursRanges: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const { assembly } = this.#options;
    this.#streams += 1;
    this.#learnSize(stream.size);
    let position = stream.start;
    this.#position = position;
    for await (const chunk of stream.chunks) {
      const room = assembly.accept(chunk, position);
      position += chunk.length;
      this.#position = position;
      if (room !== undefined) await room;
      if (assembly.diskError !== undefined) return;
      signal.throwIfAborted();
      if (honoursRanges && assembly.isSpokenFor(position) && !this.#readsThrough(position)) return;
    }
    this.#learnSize(stream.size ?? position);
  }

  async #open(wanted: Span | 'whole', signal: AbortSignal): Promise<BlobStream> {
    const { assembly, origins } = this.#options;
    const origin = origins[this.#origin % origins.length];
    if (origin === undefined) throw new UpstreamError('unavailable', 'no upstream to fetch the blob from');
    const span = wanted === 'whole' ? {} : { span: wanted };
    const stream = await origin.client.getBlob(origin.repository, assembly.digest, { ...span, signal });
    this.#options.servedBy(origin);
    return stream;
  }

  #learnSize(size: number | undefined): void {
    const { assembly } = this.#options;
    if (size === undefined) return;
    if (assembly.size !== undefined && assembly.size !== size) {
      throw new UpstreamError(
        'malformed',
        `the upstream's blob has ${size} bytes instead of ${assembly.size}`,
      );
    }
    if (assembly.size === undefined) assembly.learnSize(size);
  }

  /** At a stretch that is here already or on its way: whether it is small enough to be read again. */
  #readsThrough(position: number): boolean {
    const { assembly } = this.#options;
    if (assembly.size === undefined) return true;
    const { size } = assembly;
    const end =
      position < size ? (assembly.unclaimed({ start: position, end: size })[0]?.start ?? size) : size;
    if (end === size) return false;
    this.#readThroughBytes += end - position;
    return this.#readThroughBytes <= size * readThroughShare;
  }

  /** Throws when there is no use in trying again; else waits a little and says how often it failed in a row. */
  async #afterFailure(error: unknown, failures: number, signal: AbortSignal): Promise<number> {
    const { assembly, clock, origins, random, retry } = this.#options;
    if (!(error instanceof UpstreamError) || error.kind === 'malformed') throw error;
    if (error.isVerdict) {
      this.#origin += 1;
      if (this.#origin >= origins.length) throw error;
      return failures;
    }
    if (failures + 1 >= retry.attempts || assembly.arrivedBytes === 0) throw error;
    const delayMs = backoffDelayMs(failures, { firstMs: retry.firstMs, maxMs: retry.maxMs, random });
    await clock.sleep(delayMs, signal);
    return failures + 1;
  }
}
