interface Chunk {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * The newest bytes of a download, kept in memory: those not yet on disk, and a little more, so that readers who keep
 * up with the download never touch the disk. Holds one contiguous run.
 */
export class RecentChunks {
  readonly #keepBytes: number;
  #chunks: Chunk[] = [];
  #bytes = 0;

  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes;
  }

  get end(): number {
    const last = this.#chunks.at(-1);
    return last === undefined ? 0 : last.position + last.bytes.length;
  }

  /** Whether all of `[start, end)` is here; an empty run always is. */
  covers(start: number, end: number): boolean {
    const first = this.#chunks[0];
    return (
      start === end || (first !== undefined && first.position <= start && end <= this.end && start < end)
    );
  }

  /** Bytes that do not follow the run start a new one: the caller has written the old run to disk before. */
  push(bytes: Uint8Array, position: number): void {
    if (position !== this.end) this.clear();
    this.#chunks.push({ position, bytes });
    this.#bytes += bytes.length;
  }

  /** Forgets the oldest bytes that are on disk already, down to the amount to keep. */
  trim(writtenEnd: number): void {
    let dropped = 0;
    for (const chunk of this.#chunks) {
      if (this.#bytes <= this.#keepBytes || chunk.position + chunk.bytes.length > writtenEnd) break;
      this.#bytes -= chunk.bytes.length;
      dropped += 1;
      freeMemory(chunk.bytes);
    }
    if (dropped > 0) this.#chunks.splice(0, dropped);
  }

  /** Copies what is here from `position` on; 0 when that position is not here. */
  read(into: Uint8Array, position: number): number {
    let index = this.#chunks.findLastIndex((chunk) => chunk.position <= position);
    let copied = 0;
    for (; index >= 0 && index < this.#chunks.length && copied < into.length; index += 1) {
      const chunk = this.#chunks[index];
      if (chunk === undefined) break;
      const from = position + copied - chunk.position;
      const part = chunk.bytes.subarray(from, from + into.length - copied);
      if (part.length === 0) break;
      into.set(part, copied);
      copied += part.length;
    }
    return copied;
  }

  /** The bytes from `position` to the end of the run, without copying. */
  *from(position: number): Iterable<Uint8Array> {
    for (const chunk of this.#chunks) {
      const end = chunk.position + chunk.bytes.length;
      if (end > position) yield chunk.bytes.subarray(Math.max(0, position - chunk.position));
    }
  }

  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }
}

/**
 * Gives a chunk's memory back at once instead of when it is next collected. A download makes 64 KiB of garbage some ten
 * thousand times a second: left to the collector, it would run a full collection for every 20 MB. Only whole buffers
 * are given back, which nobody else can be looking at: the chunks of a stream are their consumer's.
 */
function freeMemory(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}
