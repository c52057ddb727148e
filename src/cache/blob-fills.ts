import { OverloadedError } from '../base/limiter.ts';
import type { BlobReader, BlobWriter } from '../blob/blob-store.ts';
import type { ByteSource } from '../blob/byte-source.ts';
import { StorageError, StorageFullError } from '../base/storage-error.ts';
import type { Span } from '../base/range-set.ts';
import type { Digest } from '../oci/digest.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import type { Assembly } from './assembly.ts';
import { AssemblySource } from './assembly-source.ts';
import { isSameOrigin, type BlobOrigin } from './blob-origin.ts';
import { Fill, type FillEnvironment } from './fill.ts';
import { PassThroughSource } from './pass-through-source.ts';
import { SequentialHash } from './sequential-hash.ts';
import { SliceDemand } from './slice-demand.ts';

export interface BlobFillsOptions extends Omit<FillEnvironment, 'blobs'> {
  readonly blobs: BlobReader & BlobWriter;
  readonly maxPassThroughs: number;
  /** For how long after a storage failure nothing new is stored. */
  readonly storageRetryMs: number;
  /** Whether a blob of this size may be stored at all. */
  readonly admits: (size: number, upstream: string) => boolean;
}

/** `stored`: it is here; `fill`: stored on the way; `joined`: a fill was running already; `pass-through`: not stored. */
export type Delivery = 'stored' | 'fill' | 'joined' | 'pass-through';

export interface RunningFill {
  readonly digest: Digest;
  readonly upstream: string;
  readonly repository: string;
  readonly arrivedBytes: number;
  readonly size: number | undefined;
  /** Readers that wait for it. */
  readonly users: number;
}

export interface WantedSpan {
  readonly digest: Digest;
  /** Of the whole blob. */
  readonly size: number;
  readonly span: Span;
  readonly whole: boolean;
}

type Found =
  | { readonly kind: 'stored' }
  | { readonly kind: 'fill'; readonly fill: Fill; readonly leave: () => void }
  | { readonly kind: 'unstorable' };

const neverAborted = new AbortController().signal;

/** All running fills of a node, at most one a digest, and the way around them for what cannot be stored. */
export class BlobFills {
  readonly #options: BlobFillsOptions;
  readonly #environment: FillEnvironment;
  readonly #fills = new Map<Digest, Promise<Fill | undefined>>();
  readonly #live = new Set<Fill>();
  #storageFailedAtMs = -Infinity;
  #passThroughs = 0;
  #closed = false;

  constructor(options: BlobFillsOptions) {
    this.#options = options;
    this.#environment = { ...options, storageFailed: (error) => this.#storageFailed(error) };
  }

  get running(): number {
    return this.#fills.size;
  }

  /** What the running fills will take in the end, as far as their lengths are known. */
  get bytes(): number {
    let bytes = 0;
    for (const { assembly } of this.#live) bytes += assembly.size ?? assembly.arrivedBytes;
    return bytes;
  }

  /** What is being fetched now, for people to look at. */
  list(): readonly RunningFill[] {
    return [...this.#live].map(({ assembly, origin, users }) => ({
      digest: assembly.digest,
      upstream: origin.upstream,
      repository: origin.repository,
      arrivedBytes: assembly.arrivedBytes,
      size: assembly.size,
      users,
    }));
  }

  isRunning(digest: Digest): boolean {
    return this.#fills.has(digest);
  }

  /** Resolves when the fill of a digest, if there is one, has ended: what it brought is stored then, or was not kept. */
  async settled(digest: Digest): Promise<void> {
    const opening = this.#fills.get(digest);
    if (opening === undefined) return;
    const [opened] = await Promise.allSettled([opening]);
    if (opened.status === 'fulfilled') await opened.value?.freed;
  }

  /**
   * Proves that `origin` holds the blob, and tells its length, by asking for the blob itself where nobody does so yet:
   * its fill starts, and this resolves when the upstream has told the length, or has sent all. Bytes that another
   * repository provides prove nothing for this one: then it is asked by HEAD. Fails as the upstream does.
   */
  async prove(origin: BlobOrigin, digest: Digest): Promise<number> {
    const found = await this.#find(origin, digest);
    if (found.kind === 'fill') {
      const { fill, leave } = found;
      try {
        if (fill.assembly.size === undefined && isSameOrigin(fill.origin, origin)) {
          const size = await sizeOf(fill);
          if (fill.wasServedBy(origin)) return size;
        }
      } finally {
        leave();
      }
    }
    return (await origin.client.headBlob(origin.repository, digest, neverAborted)).size;
  }

  /**
   * Bytes of a blob of `size` bytes. With `whole` they run to its end and the last ones are held back until the digest
   * has passed.
   */
  async open(origin: BlobOrigin, wanted: WantedSpan): Promise<{ source: ByteSource; delivery: Delivery }> {
    const { digest, size, span } = wanted;
    const joined = this.#fills.has(digest);
    const found = await this.#find(origin, digest, size);
    if (found.kind === 'stored') {
      const source = await this.#options.blobs.open(digest, span.start, span.end);
      if (source !== undefined) return { source, delivery: 'stored' };
    }
    if (found.kind !== 'fill') return { source: this.#passThrough(origin, wanted), delivery: 'pass-through' };
    const { fill, leave } = found;
    try {
      agreeOnSize(fill.assembly, size);
    } catch (error) {
      leave();
      throw error;
    }
    if (wanted.whole) fill.want();
    return { source: this.#join(fill, origin, { ...wanted, leave }), delivery: joined ? 'joined' : 'fill' };
  }

  /** Whether a blob of that size would be stored now; what is not passes through. */
  mayStore(size: number | undefined, upstream: string): boolean {
    const { clock, storageRetryMs, admits } = this.#options;
    if (clock.monotonicMs() - this.#storageFailedAtMs < storageRetryMs) return false;
    return size === undefined || admits(size, upstream);
  }

  /** Stops every fill; what came so far stays as resumable partials. */
  async close(): Promise<void> {
    this.#closed = true;
    const openings = await Promise.allSettled(this.#fills.values());
    const reason = new UpstreamError('unavailable', 'the node is stopping');
    await Promise.all(
      openings.map(async (opening) => {
        if (opening.status === 'fulfilled') await opening.value?.stop(reason);
      }),
    );
  }

  /** The digest's fill, joined or begun; or where else its bytes are to come from. */
  async #find(origin: BlobOrigin, digest: Digest, size?: number): Promise<Found> {
    for (;;) {
      if (this.#closed) throw new UpstreamError('unavailable', 'the node is stopping');
      if ((await this.#options.blobs.stat(digest)) !== undefined) return { kind: 'stored' };
      if (!this.mayStore(size, origin.upstream)) return { kind: 'unstorable' };
      const fill = await this.#fillOf(origin, digest);
      if (fill === 'unstorable') return { kind: 'unstorable' };
      if (fill === undefined) continue;
      if (fill.ending === undefined) {
        if (fill.assembly.state.kind === 'spilled') return { kind: 'unstorable' };
        fill.addOrigin(origin);
        return { kind: 'fill', fill, leave: fill.enter() };
      }
      await fill.freed;
    }
  }

  async #fillOf(origin: BlobOrigin, digest: Digest): Promise<Fill | undefined | 'unstorable'> {
    let opening = this.#fills.get(digest);
    if (opening === undefined) {
      opening = this.#create(origin, digest);
      this.#fills.set(digest, opening);
    }
    try {
      return await opening;
    } catch (error) {
      if (!(error instanceof StorageFullError || error instanceof StorageError)) throw error;
      this.#storageFailed(error);
      return 'unstorable';
    }
  }

  /** `undefined` when the blob was committed between the caller's look and now. */
  async #create(origin: BlobOrigin, digest: Digest): Promise<Fill | undefined> {
    const { blobs } = this.#options;
    try {
      if ((await blobs.stat(digest)) === undefined) {
        const partial = await blobs.openPartial(digest);
        const fill: Fill = new Fill(partial, origin, this.#environment, () => {
          this.#fills.delete(digest);
          this.#live.delete(fill);
        });
        this.#live.add(fill);
        return fill;
      }
    } catch (error) {
      this.#fills.delete(digest);
      throw error;
    }
    this.#fills.delete(digest);
    return undefined;
  }

  #join(fill: Fill, origin: BlobOrigin, wanted: WantedSpan & { readonly leave: () => void }): ByteSource {
    const { digest, size, span, whole, leave } = wanted;
    const { assembly } = fill;
    if (whole) {
      const demand = (position: number): ByteSource | undefined => {
        const { state } = assembly;
        if (state.kind !== 'spilled' || position < state.position) return undefined;
        const rest = { digest, size, span: { start: position, end: size }, whole: true };
        return this.#passThrough(origin, rest, position === state.position ? state.hash.fork() : undefined);
      };
      return new AssemblySource(assembly, { span, withhold: true, demand, closed: leave });
    }
    const slice = new SliceDemand(fill, {
      origin,
      span,
      passThrough: (rest) => this.#passThrough(origin, { digest, size, span: rest, whole: false }),
    });
    return new AssemblySource(assembly, {
      span,
      withhold: false,
      demand: (position) => slice.demand(position),
      closed: leave,
    });
  }

  #passThrough(origin: BlobOrigin, wanted: WantedSpan, hash?: SequentialHash): ByteSource {
    if (this.#passThroughs >= this.#options.maxPassThroughs) {
      throw new OverloadedError('too many transfers that cannot be stored are running');
    }
    this.#passThroughs += 1;
    const { digest, size, span, whole } = wanted;
    // A hash cannot begin in the middle: a reader who starts there is served like a range, which no digest covers.
    const verify = whole && (hash !== undefined || span.start === 0);
    return new PassThroughSource({
      origin,
      hash: hash ?? new SequentialHash(digest),
      span,
      blobSize: size,
      verify,
      closed: () => {
        this.#passThroughs -= 1;
      },
    });
  }

  #storageFailed(error: Error): void {
    this.#storageFailedAtMs = this.#options.clock.monotonicMs();
    this.#options.storageFailed(error);
  }
}

async function sizeOf(fill: Fill): Promise<number> {
  const { assembly } = fill;
  fill.want();
  for (;;) {
    if (assembly.state.kind === 'failed') throw assembly.state.error;
    if (assembly.size !== undefined) return assembly.size;
    if (assembly.state.kind === 'spilled') throw new StorageFullError('the disk is full');
    await assembly.progress.wait();
  }
}

function agreeOnSize(assembly: Assembly, told: number): void {
  if (assembly.size === undefined) assembly.learnSize(told);
  else if (assembly.size !== told) {
    throw new UpstreamError(
      'malformed',
      `the blob has ${assembly.size} bytes here and ${told} by its descriptor`,
    );
  }
}
