import assert from 'node:assert/strict';
import { Broadcast } from '../base/broadcast.ts';
import { RangeSet, type Span } from '../base/range-set.ts';
import type { PartialBlob } from '../blob/blob-store.ts';
import type { Digest } from '../oci/digest.ts';
import { RecentChunks } from './recent-chunks.ts';
import { SequentialHash } from './sequential-hash.ts';
import { WriteBehind } from './write-behind.ts';

/** Bytes that arrived and are not yet on disk; more makes the download wait for the disk. */
const maxUnwrittenBytes = 1024 * 1024;
/** Bytes kept in memory behind the download for readers who keep up with it. */
const recentBytes = 512 * 1024;
/** A whole-blob answer holds back this much of the blob's end until the digest has passed. */
export const maxWithheldBytes = 64 * 1024;
const rehashBytes = 256 * 1024;

/**
 * - `filling`: bytes come in, any order
 * - `verified`: length and digest passed
 * - `spilled`: the disk takes no more; what arrived up to `spill.position` can still be read, the rest each reader
 *   fetches for itself
 * - `failed`: no more bytes will come and those here are not to be trusted or not enough
 */
export type AssemblyState =
  | { readonly kind: 'filling' }
  | { readonly kind: 'verified' }
  | { readonly kind: 'spilled'; readonly position: number; readonly hash: SequentialHash }
  | { readonly kind: 'failed'; readonly error: Error };

/**
 * A blob while it is being put together: what has arrived, from whichever download, readable at once by everybody.
 * Knows nothing of upstreams. Bytes of a sequential download go through `accept`, those of a range through `place`.
 */
export class Assembly {
  readonly digest: Digest;
  readonly progress = new Broadcast();
  #partial: PartialBlob;
  #arrived: RangeSet;
  #recent = new RecentChunks(recentBytes);
  #hash: SequentialHash;
  #writes: WriteBehind;
  #rehashing: Promise<void> | undefined;
  #state: AssemblyState = { kind: 'filling' };
  #claims: Span[] = [];
  #hasPlacedBytes = false;
  /** Grows when everything was thrown away and begun anew: bytes of different generations must not be mixed. */
  #generation = 0;

  constructor(partial: PartialBlob) {
    this.digest = partial.digest;
    this.#partial = partial;
    this.#arrived = partial.present.clone();
    this.#hash = new SequentialHash(partial.digest);
    this.#writes = this.#writeBehind(partial);
    this.#rehash();
  }

  get state(): AssemblyState {
    return this.#state;
  }

  get generation(): number {
    return this.#generation;
  }

  get size(): number | undefined {
    return this.#partial.size;
  }

  get arrivedBytes(): number {
    return this.#arrived.totalBytes;
  }

  get partial(): PartialBlob {
    return this.#partial;
  }

  /** Whether some disk write failed: the state turns to `spilled` or `failed` when the download notices. */
  get diskError(): Error | undefined {
    return this.#writes.error;
  }

  learnSize(size: number): void {
    assert(this.#partial.size === undefined || this.#partial.size === size);
    this.#partial.size = size;
    this.progress.notify();
  }

  hasArrived(span: Span): boolean {
    return this.#arrived.covers(span);
  }

  /** What is missing within `span` and not on its way through a claimed range. */
  unclaimed(span: Span): Span[] {
    const spoken = this.#claims.length === 0 ? this.#arrived : this.#arrived.clone();
    for (const claim of this.#claims) spoken.add(claim);
    return spoken.missing(span);
  }

  /** Whether the byte at `position` is here or claimed. */
  isSpokenFor(position: number): boolean {
    return (
      this.#arrived.contiguousEnd(position) > position ||
      this.#claims.some((claim) => claim.start <= position && position < claim.end)
    );
  }

  get hasClaims(): boolean {
    return this.#claims.length > 0;
  }

  claim(span: Span): { release(): void } {
    this.#claims.push(span);
    return {
      release: () => {
        this.#claims = this.#claims.filter((claim) => claim !== span);
        this.progress.notify();
      },
    };
  }

  /** End of the run of bytes from the front that have arrived. */
  get frontEnd(): number {
    return this.#arrived.contiguousEnd(0);
  }

  /**
   * Takes bytes of the sequential download; they are readable at once. Returns a promise when the download must wait
   * for the disk. Bytes that are here already are dropped.
   */
  accept(bytes: Uint8Array, position: number): Promise<void> | undefined {
    const span = { start: position, end: position + bytes.length };
    for (const missing of this.#arrived.missing(span)) {
      const part = bytes.subarray(missing.start - position, missing.end - position);
      // The run before leaves memory: what of it is held back is readable only once it is on disk.
      if (missing.start !== this.#recent.end) this.#writes.flush();
      this.#recent.push(part, missing.start);
      if (this.#hash.position === missing.start && this.#rehashing === undefined) this.#hash.update(part);
      this.#arrived.add(missing);
      this.#writes.push(part, missing.start);
    }
    this.progress.notify();
    return this.#writes.bytes > maxUnwrittenBytes ? this.#writes.room(maxUnwrittenBytes) : undefined;
  }

  /** Takes bytes of a range; they are readable when this resolves. */
  async place(bytes: Uint8Array, position: number): Promise<void> {
    const generation = this.#generation;
    await this.#partial.write([bytes], position);
    if (generation !== this.#generation) return;
    this.#hasPlacedBytes = true;
    this.#arrived.add({ start: position, end: position + bytes.length });
    this.#rehash();
    this.progress.notify();
  }

  /** Whether some of the bytes came by ranges of their own. */
  get hasPlacedBytes(): boolean {
    return this.#hasPlacedBytes;
  }

  /** How far a reader may read: to the end, or to where bytes are withheld until the digest has passed. */
  readableEnd(withhold: boolean): number {
    const size = this.#partial.size;
    switch (this.#state.kind) {
      case 'verified':
        return size ?? 0;
      case 'spilled':
        return this.#state.position;
      case 'filling':
      case 'failed':
        if (!withhold) return size ?? this.#arrived.contiguousEnd(0);
        return size === undefined
          ? this.#arrived.contiguousEnd(0) - maxWithheldBytes
          : size - Math.min(size, maxWithheldBytes);
    }
  }

  /** Copies bytes from `position` on, at most up to `end`; 0 when none of them are here yet. */
  read(into: Uint8Array, position: number, end: number): number | Promise<number> {
    if (position >= end) return 0;
    const room = into.length > end - position ? into.subarray(0, end - position) : into;
    const copied = this.#recent.read(room, position);
    if (copied > 0) return copied;
    const presentEnd = this.#partial.present.contiguousEnd(position);
    if (presentEnd <= position) return 0;
    return this.#partial.read(room.subarray(0, presentEnd - position), position);
  }

  /** All bytes have arrived: checks length and digest. Also resolves `false` when the disk failed on the way. */
  async verify(): Promise<boolean> {
    await this.#writes.idle();
    await this.#rehashed();
    if (this.#hash.position !== this.#partial.size || !this.#hash.matches()) return false;
    this.#state = { kind: 'verified' };
    this.progress.notify();
    return true;
  }

  /** After a disk error: keeps what arrived readable and lets the readers go on by themselves from there. */
  async spill(): Promise<void> {
    await this.#rehashed();
    const position = this.frontEnd;
    const readable = this.#recent.covers(this.#partial.present.contiguousEnd(0), position);
    if (!readable || this.#hash.position !== position || this.#partial.size === undefined) {
      this.fail(this.#writes.error ?? new Error('the blob could not be stored'));
      return;
    }
    this.#state = { kind: 'spilled', position, hash: this.#hash };
    this.progress.notify();
  }

  fail(error: Error): void {
    this.#state = { kind: 'failed', error };
    this.progress.notify();
  }

  /** Begins anew with an empty partial: the bytes so far were wrong. The old partial is the caller's to close. */
  restart(partial: PartialBlob): void {
    this.#generation += 1;
    partial.size = this.#partial.size;
    this.#partial = partial;
    this.#arrived = new RangeSet();
    this.#hasPlacedBytes = false;
    this.#recent.clear();
    this.#hash = new SequentialHash(this.digest);
    this.#writes = this.#writeBehind(partial);
    this.progress.notify();
  }

  /** Makes what has arrived so far survive a crash. */
  async checkpoint(): Promise<void> {
    const partial = this.#partial;
    await this.#writes.idle();
    if (partial === this.#partial) await partial.checkpoint();
  }

  /** Resolves when no disk write is under way. */
  async idle(): Promise<void> {
    await this.#writes.idle();
    await this.#rehashed();
  }

  async #rehashed(): Promise<void> {
    this.#rehash();
    while (this.#rehashing !== undefined) await this.#rehashing;
  }

  #writeBehind(partial: PartialBlob): WriteBehind {
    return new WriteBehind(partial, (writtenEnd) => {
      this.#recent.trim(writtenEnd);
      this.#rehash();
      this.progress.notify();
    });
  }

  /** Hashes bytes that came out of order (resumed, or by ranges) from where they lie, one task at a time. */
  #rehash(): void {
    if (this.#rehashing !== undefined || this.#state.kind !== 'filling' || !this.#canRehash()) return;
    const generation = this.#generation;
    this.#rehashing = this.#rehashAll(generation)
      .catch((error: unknown) => {
        if (generation === this.#generation)
          this.fail(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => {
        this.#rehashing = undefined;
        this.#rehash();
        this.progress.notify();
      });
  }

  #canRehash(): boolean {
    return this.#partial.present.contiguousEnd(this.#hash.position) > this.#hash.position;
  }

  async #rehashAll(generation: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(rehashBytes);
    while (generation === this.#generation && this.#state.kind === 'filling') {
      const before = this.#hash.position;
      const end = this.#partial.present.contiguousEnd(before);
      if (end > before) {
        const count = await this.#partial.read(
          buffer.subarray(0, Math.min(rehashBytes, end - before)),
          before,
        );
        if (generation !== this.#generation) return;
        this.#hash.update(buffer.subarray(0, count));
      }
      this.#hashRecent();
      if (this.#hash.position === before) return;
    }
  }

  #hashRecent(): void {
    const from = this.#hash.position;
    if (!this.#recent.covers(from, this.#recent.end)) return;
    for (const bytes of this.#recent.from(from)) this.#hash.update(bytes);
  }
}
