import assert from 'node:assert/strict';
import type { Clock } from '../base/clock.ts';
import type { Limiter } from '../base/limiter.ts';
import type { FillSlots } from './fill-slots.ts';
import type { Logger } from '../base/logger.ts';
import type { BlobWriter, PartialBlob } from '../blob/blob-store.ts';
import type { BlobStream } from '../upstream/registry-client.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { Assembly } from './assembly.ts';
import { isSameOrigin, type BlobOrigin } from './blob-origin.ts';
import { Download, type RetryPolicy } from './download.ts';

export interface FillPolicy {
  /** What becomes of a fill that nobody waits for: `half` finishes it when more than half of the blob is here. */
  readonly unattended: 'finish' | 'half' | 'stop';
  /** How long a fill goes on after its last user left before that question is asked: many clients come back at once. */
  readonly lingerMs: number;
  readonly checkpointIntervalMs: number;
  readonly retry: RetryPolicy;
  /** A range this close ahead of the running transfer waits for it instead of being fetched by itself. */
  readonly joinAheadBytes: number;
  /** Tries of one range request before its reader fails. */
  readonly rangeAttempts: number;
}

export interface FillEnvironment {
  readonly blobs: BlobWriter;
  readonly slots: FillSlots;
  readonly ranges: Limiter;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly policy: FillPolicy;
  /** A fill begins that will take so many bytes. */
  readonly started: (bytes: number) => void;
  /** The blob is in the store. */
  readonly committed: (fill: {
    readonly origin: BlobOrigin;
    readonly size: number;
    readonly assembly: Assembly;
  }) => void;
  /** The upstream sent bytes that are not the blob. */
  readonly corrupt: (origin: BlobOrigin) => void;
  /** The store took no more bytes. */
  readonly storageFailed: (error: Error) => void;
}

class Unattended extends Error {
  override readonly name = 'Unattended';
}

/**
 * The one running download of a blob, from the first who wants it until the blob is in the store or nobody wants it
 * any more. It belongs to the digest: users come and go (`enter`), repositories that may provide it are added
 * (`addOrigin`), and it ends by itself.
 */
export class Fill {
  readonly assembly: Assembly;
  readonly #environment: FillEnvironment;
  readonly #origins: BlobOrigin[];
  readonly #servedBy: BlobOrigin[] = [];
  readonly #ended: () => void;
  readonly #resumed: boolean;
  #users = 0;
  #wanted = false;
  #running: AbortController | undefined;
  /** Resolves when nothing runs. */
  #idle: Promise<void> = Promise.resolve();
  #download: Download | undefined;
  #ending: Promise<void> | undefined;
  readonly #freed = Promise.withResolvers<void>();
  #lingering: { cancel(): void } | undefined;
  #outcome: 'kept' | 'committed' | 'discarded' = 'kept';

  constructor(partial: PartialBlob, origin: BlobOrigin, environment: FillEnvironment, ended: () => void) {
    this.assembly = new Assembly(partial);
    this.#resumed = !partial.present.isEmpty;
    this.#origins = [origin];
    this.#environment = environment;
    this.#ended = ended;
  }

  /** Set from the moment it accepts no more users; resolves when everything is put away. */
  get ending(): Promise<void> | undefined {
    return this.#ending;
  }

  /** Resolves when its digest is free for another fill. */
  get freed(): Promise<void> {
    return this.#freed.promise;
  }

  get environment(): FillEnvironment {
    return this.#environment;
  }

  get origin(): BlobOrigin {
    const first = this.#origins[0];
    assert(first !== undefined);
    return first;
  }

  get users(): number {
    return this.#users;
  }

  /** Where the running transfer stands. */
  get position(): number | undefined {
    return this.#running === undefined ? undefined : this.#download?.position;
  }

  /** Whether that repository has answered with the blob. */
  wasServedBy(origin: BlobOrigin): boolean {
    return this.#servedBy.some((one) => isSameOrigin(one, origin));
  }

  addOrigin(origin: BlobOrigin): void {
    const known = this.#origins.some((one) => isSameOrigin(one, origin));
    if (!known && this.#origins.length < maxOrigins) this.#origins.push(origin);
  }

  /** Counts a user in; the returned function counts it out and may be called again without harm. */
  enter(): () => void {
    assert(this.#ending === undefined);
    this.#users += 1;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#users -= 1;
      this.assembly.progress.notify();
      if (this.#users === 0) this.#linger();
    };
  }

  /** Asks for the whole blob. */
  want(): void {
    this.#wanted = true;
    if (this.#running === undefined && this.assembly.state.kind === 'filling') this.#start(undefined);
  }

  /** Takes a transfer from the first byte that is already running as its own; `false` when it has one, or needs none. */
  adopt(stream: BlobStream): boolean {
    this.#wanted = true;
    if (this.#running !== undefined || this.assembly.state.kind !== 'filling') return false;
    this.#start(stream);
    return true;
  }

  /** Stops at once and keeps what is here: for shutting down. A commit that has begun is waited for. */
  async stop(reason: Error): Promise<void> {
    this.#wanted = false;
    this.#running?.abort(reason);
    if (this.assembly.state.kind === 'filling') this.assembly.fail(reason);
    await this.#idle;
    this.#end();
    await this.#ending;
  }

  #start(adopted: BlobStream | undefined): void {
    const running = new AbortController();
    this.#running = running;
    if (this.assembly.size !== undefined) this.#environment.started(this.assembly.size);
    this.#idle = this.#environment.slots
      .run(this.origin.upstream, async () => this.#complete(running.signal, adopted), running.signal)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => this.#settled());
  }

  async #complete(signal: AbortSignal, adopted: BlobStream | undefined): Promise<void> {
    const checkpoints = this.#checkpointing();
    try {
      const first = await this.#attempt(signal, adopted);
      if (first.done) return;
      const mixed = this.#resumed || first.streams > 1 || this.assembly.hasPlacedBytes;
      if (mixed && first.wrong) {
        this.#environment.logger.warn(
          'bytes from several transfers do not match the digest: fetching all again',
          {
            digest: this.assembly.digest,
          },
        );
        await this.#beginAnew();
        if ((await this.#attempt(signal, undefined)).done) return;
      }
      this.#outcome = 'discarded';
      this.#environment.corrupt(this.origin);
      throw new UpstreamError('malformed', `the upstream's bytes do not match ${this.assembly.digest}`);
    } finally {
      checkpoints.cancel();
    }
  }

  async #attempt(
    signal: AbortSignal,
    adopted: BlobStream | undefined,
  ): Promise<{ done: boolean; wrong: boolean; streams: number }> {
    const { clock, random, policy } = this.#environment;
    const { assembly } = this;
    const download = new Download({
      assembly,
      origins: this.#origins,
      servedBy: (origin) => this.#servedBy.push(origin),
      clock,
      random,
      retry: policy.retry,
    });
    this.#download = download;
    await download.run(signal, adopted);
    if (assembly.diskError === undefined && (await assembly.verify())) {
      await this.#commit();
      return { done: true, wrong: false, streams: download.streams };
    }
    if (assembly.diskError !== undefined) {
      this.#outcome = 'discarded';
      this.#environment.storageFailed(assembly.diskError);
      await assembly.spill();
      return { done: true, wrong: false, streams: download.streams };
    }
    return { done: false, wrong: true, streams: download.streams };
  }

  async #commit(): Promise<void> {
    const { assembly } = this;
    try {
      await assembly.partial.commit();
      this.#outcome = 'committed';
    } catch (error) {
      // Everybody who reads has all the bytes, verified: only the next pull pays for this.
      this.#outcome = 'discarded';
      this.#environment.storageFailed(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#environment.committed({ origin: this.origin, size: assembly.size ?? 0, assembly });
  }

  async #beginAnew(): Promise<void> {
    const { assembly } = this;
    const wrong = assembly.partial;
    await assembly.idle();
    await wrong.discard();
    await wrong.close();
    assembly.restart(await this.#environment.blobs.openPartial(assembly.digest));
  }

  #failed(error: unknown): void {
    if (error instanceof Unattended) return;
    const reason = error instanceof Error ? error : new Error(String(error));
    if (reason instanceof UpstreamError && reason.kind === 'malformed') this.#outcome = 'discarded';
    if (this.assembly.state.kind === 'filling') this.assembly.fail(reason);
  }

  #settled(): void {
    this.#running = undefined;
    const { kind } = this.assembly.state;
    if (kind === 'filling' && this.#users > 0 && this.#wanted) this.#start(undefined);
    else if (kind === 'verified' || kind === 'failed') this.#end();
    else if (this.#users === 0) this.#leftAlone();
  }

  #linger(): void {
    const { clock, policy } = this.#environment;
    if (this.assembly.state.kind !== 'filling') {
      this.#leftAlone();
      return;
    }
    this.#lingering?.cancel();
    this.#lingering = clock.schedule(policy.lingerMs, () => {
      if (this.#users === 0) this.#leftAlone();
    });
  }

  /** The last user left: goes on, or stops and stays as a resumable partial. */
  #leftAlone(): void {
    const { assembly } = this;
    if (this.#ending !== undefined) return;
    if (this.#running !== undefined) {
      if (!this.#goesOnAlone()) {
        this.#wanted = false;
        this.#running.abort(new Unattended('nobody waits for this fill'));
      }
    } else if (
      assembly.state.kind === 'filling' &&
      assembly.size !== undefined &&
      assembly.frontEnd === assembly.size
    ) {
      this.#start(undefined); // every byte came by ranges: verify and keep it
    } else {
      this.#end();
    }
  }

  #goesOnAlone(): boolean {
    switch (this.#environment.policy.unattended) {
      case 'finish':
        return true;
      case 'stop':
        return this.assembly.state.kind !== 'filling';
      case 'half':
        return (
          this.assembly.state.kind !== 'filling' ||
          this.assembly.arrivedBytes > (this.assembly.size ?? Infinity) / 2
        );
    }
  }

  /**
   * No more users. A failed fill frees its digest at once, its readers will only see the error; the bytes of a verified
   * or spilled one stay readable until the last reader has left.
   */
  #end(): void {
    this.#lingering?.cancel();
    this.#ending ??= this.#dispose().catch((error: unknown) => {
      this.#environment.logger.error('a partial blob could not be put away', {
        digest: this.assembly.digest,
        error,
      });
    });
  }

  async #dispose(): Promise<void> {
    const { partial } = this.assembly;
    try {
      await this.assembly.idle();
      if (this.#outcome === 'kept') await partial.keep();
      else if (this.#outcome === 'discarded') await partial.discard();
    } finally {
      this.#ended();
      this.#freed.resolve();
    }
    while (this.#users > 0 && this.assembly.state.kind !== 'failed') await this.assembly.progress.wait();
    await partial.close();
  }

  #checkpointing(): { cancel(): void } {
    const { clock, policy, logger } = this.#environment;
    let timer: { cancel(): void } | undefined;
    let stopped = false;
    const next = (): void => {
      if (stopped) return;
      timer = clock.schedule(policy.checkpointIntervalMs, () => {
        this.assembly
          .checkpoint()
          .catch((error: unknown) =>
            logger.warn('a checkpoint failed', { digest: this.assembly.digest, error }),
          )
          .finally(next);
      });
    };
    next();
    return {
      cancel: () => {
        stopped = true;
        timer?.cancel();
      },
    };
  }
}

/** Repositories remembered as alternatives for one blob. */
const maxOrigins = 8;
