import type { Digest } from '../oci/digest.ts';
import type { RangeSet } from '../base/range-set.ts';
import type { ByteSource } from './byte-source.ts';

/** Reads committed blobs. What is visible here was verified against its digest before it became visible. */
export interface BlobReader {
  /** `undefined` when the blob is not here. */
  stat(digest: Digest): Promise<BlobStat | undefined>;
  /**
   * Opens `[start, end)` of the blob, whole by default; `undefined` when it is not here. A blob removed while it is
   * open stays readable until closed. `end` beyond the blob is a programming error.
   */
  open(digest: Digest, start?: number, end?: number): Promise<ByteSource | undefined>;
}

export interface BlobStat {
  readonly size: number;
}

/** Brings bytes in. Nothing is visible to a reader before `commit`. */
export interface BlobWriter {
  /**
   * Opens what is here of an unfinished blob, or starts an empty one. At most one holder a digest at a time: a second
   * open of a digest that is held is a programming error. Fails with `StorageFullError` when the disk is full.
   */
  openPartial(digest: Digest): Promise<PartialBlob>;
  /**
   * Stores a small blob at once (a manifest). The caller has verified `bytes` against `digest`. Durable when it
   * resolves; does nothing when the blob is here already. Fails with `StorageFullError`.
   */
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
}

/**
 * The bytes of an unfinished blob: written in any order, readable at once by the holder, kept across a crash up to the
 * last checkpoint. Its holder ends it with exactly one of `commit`, `discard` and `keep`.
 * Reads may go on after `commit` and `discard` until `close`; `close` comes last and is always called.
 */
export interface PartialBlob {
  readonly digest: Digest;
  /** Which positions are here. At opening: what the last checkpoint recorded. Grows with `write`. */
  readonly present: RangeSet;
  /** Length of the whole blob, where it was recorded. Setting it makes the next checkpoint record it. */
  size: number | undefined;
  /** Writes the chunks one behind the other from `position` on. Fails with `StorageFullError`; then nothing of them counts as present. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** Reads bytes that are present; returns how many (at least 1). */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Makes what is present survive a crash: data first, then the record of it. */
  checkpoint(): Promise<void>;
  /** Publishes it as the blob: data synced, renamed, folder synced. The caller has verified length and digest. */
  commit(): Promise<void>;
  /** Throws the bytes away. */
  discard(): Promise<void>;
  /** Checkpoints and leaves it for a later `openPartial`. */
  keep(): Promise<void>;
  close(): Promise<void>;
}

/** Enumerates and removes: for eviction, scrubbing and rebuilding an index. */
export interface BlobSweeper {
  /** Each committed blob, in no order, without holding them all in memory. `usedAtMs` is a hint. */
  list(): AsyncIterable<BlobEntry>;
  /** Each unfinished blob that nobody holds, with the bytes that it takes. */
  listPartials(): AsyncIterable<BlobEntry>;
  /** Frees the bytes; absent is fine. Readers that have it open go on. */
  remove(digest: Digest): Promise<void>;
  removePartial(digest: Digest): Promise<void>;
  /** Moves a damaged blob out of the readers' sight and keeps its bytes for whoever investigates. */
  quarantine(digest: Digest): Promise<void>;
}

export interface BlobEntry {
  readonly digest: Digest;
  readonly size: number;
  readonly usedAtMs: number;
}

export interface BlobStore extends BlobReader, BlobWriter, BlobSweeper {}
