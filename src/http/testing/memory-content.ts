import { createHash } from 'node:crypto';
import type { ByteSource } from '../../blob/byte-source.ts';
import { parseDigest } from '../../oci/digest.ts';
import type { BlobContent, WantedBytes } from '../registry-service.ts';

/** A blob's content in memory that counts what was opened and closed: for the tests of this folder. */
export class MemoryContent implements BlobContent {
  readonly digest;
  readonly bytes: Buffer;
  readonly opened: WantedBytes[] = [];
  closed = 0;
  /** How many bytes one read delivers at most. */
  maxRead = Number.POSITIVE_INFINITY;
  /** Called before each read with the position; what it throws the read throws. */
  beforeRead: (position: number) => Promise<void> | void = () => undefined;
  /** What closing a source waits for. */
  beforeClosed: () => Promise<void> | void = () => undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    if (digest === undefined) throw new Error('not a digest');
    this.digest = digest;
  }

  get size(): number {
    return this.bytes.length;
  }

  open(wanted: WantedBytes): Promise<ByteSource> {
    this.opened.push(wanted);
    let position = wanted.kind === 'whole' ? 0 : wanted.start;
    const end = wanted.kind === 'slice' ? wanted.end : this.size;
    const closing = Promise.withResolvers<never>();
    closing.promise.catch(() => undefined);
    let open = true;
    return Promise.resolve({
      length: end - position,
      read: async (into) => {
        await Promise.race([this.beforeRead(position), closing.promise]);
        const count = Math.min(into.length, end - position, this.maxRead);
        this.bytes.copy(into, 0, position, position + count);
        position += count;
        return count;
      },
      close: async () => {
        if (open) this.closed += 1;
        open = false;
        closing.reject(new Error('closed'));
        await this.beforeClosed();
      },
    });
  }
}

/** Bytes that differ from position to position, so that a shifted copy is noticed. */
export function patternBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (i * 31 + (i >>> 8) * 17 + (i >>> 16) * 7) & 0xff;
  return bytes;
}
