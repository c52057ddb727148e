import assert from 'node:assert/strict';
import { RangeSet } from '../base/range-set.ts';
import type { Digest } from '../oci/digest.ts';
import type { PartialBlob } from './blob-store.ts';

/** What a checkpoint leaves: a copy, so that nothing written later shows in it. */
export interface MemoryPartial {
  readonly bytes: Uint8Array;
  readonly present: RangeSet;
  readonly size: number | undefined;
}

/** What a store does for its unfinished blobs. */
export interface MemoryPartialOwner {
  /** Fails with StorageFullError. */
  claim(byteCount: number): void;
  record(digest: Digest, partial: MemoryPartial | undefined): void;
  publish(digest: Digest, bytes: Uint8Array): void;
  release(digest: Digest): void;
}

export class MemoryPartialBlob implements PartialBlob {
  readonly digest: Digest;
  readonly present: RangeSet;
  size: number | undefined;
  readonly #owner: MemoryPartialOwner;
  #bytes: Uint8Array;
  #hasEnded = false;
  #isClosed = false;

  constructor(digest: Digest, recorded: MemoryPartial | undefined, owner: MemoryPartialOwner) {
    this.digest = digest;
    this.present = recorded?.present.clone() ?? new RangeSet();
    this.size = recorded?.size;
    this.#bytes = recorded?.bytes.slice() ?? new Uint8Array();
    this.#owner = owner;
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    this.#assertHeld();
    const bytes = Buffer.concat(chunks);
    const span = { start: position, end: position + bytes.length };
    const gaps = this.present.missing(span);
    this.#owner.claim(gaps.reduce((sum, { start, end }) => sum + end - start, 0));
    this.#grow(span.end);
    this.#bytes.set(bytes, position);
    this.present.add(span);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    assert(!this.#isClosed, 'read after close');
    const length = Math.min(into.length, this.present.contiguousEnd(position) - position);
    assert(length > 0, 'a read needs room for at least one byte, and that byte present');
    into.set(this.#bytes.subarray(position, position + length));
    return length;
  }

  async checkpoint(): Promise<void> {
    this.#assertHeld();
    this.#record();
  }

  async commit(): Promise<void> {
    this.#end();
    this.#owner.record(this.digest, undefined);
    this.#owner.publish(this.digest, this.#bytes.slice(0, this.present.spans.at(-1)?.end ?? 0));
    this.#owner.release(this.digest);
  }

  async discard(): Promise<void> {
    this.#end();
    this.#owner.record(this.digest, undefined);
    this.#owner.release(this.digest);
  }

  async keep(): Promise<void> {
    if (this.present.isEmpty) return this.discard();
    this.#end();
    this.#record();
    this.#owner.release(this.digest);
  }

  async close(): Promise<void> {
    if (!this.#hasEnded && !this.#isClosed) this.#owner.release(this.digest);
    this.#isClosed = true;
  }

  #record(): void {
    const { digest, present, size } = this;
    this.#owner.record(digest, { bytes: this.#bytes.slice(), present: present.clone(), size });
  }

  #grow(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(length, Math.min(2 * this.#bytes.length, this.size ?? length)));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  #end(): void {
    this.#assertHeld();
    this.#hasEnded = true;
  }

  #assertHeld(): void {
    assert(!this.#hasEnded && !this.#isClosed, 'the unfinished blob was ended or closed');
  }
}
