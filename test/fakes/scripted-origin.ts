import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Span } from '../../src/base/range-set.ts';
import type { BlobOrigin } from '../../src/cache/blob-origin.ts';
import { parseDigest, type Digest } from '../../src/oci/digest.ts';
import { parseRepositoryName } from '../../src/oci/repository-name.ts';
import type { BlobHead, BlobSource, BlobStream } from '../../src/upstream/registry-client.ts';
import { UpstreamError } from '../../src/upstream/upstream-error.ts';

export interface OriginScript {
  readonly bytes: Uint8Array;
  readonly chunkBytes: number;
  /** Whether `Range` is honoured; else every answer begins at 0. */
  ignoresRanges?: boolean;
  /** Whether the length is told. */
  hidesSize?: boolean;
  /** Called before each answer: an error refuses it. */
  refuse?: (answer: number) => UpstreamError | undefined;
  /** Called before each chunk; an error breaks the transfer. May return other bytes of the same length. */
  chunk?: (position: number, bytes: Uint8Array, answer: number) => Uint8Array | UpstreamError;
  /** Awaited before each chunk: a gate that a test opens. */
  gate?: (position: number) => Promise<void>;
}

/** A repository that holds one blob and counts what is read of it, byte by byte: bodies move only when pulled. */
export class ScriptedOrigin implements BlobSource {
  readonly script: OriginScript;
  readonly digest: Digest;
  readonly repository;
  /** How often each byte of the blob left this origin. */
  readonly reads: Uint16Array;
  /** What each GET asked for; `undefined` for the whole blob. */
  readonly gets: (Span | undefined)[] = [];
  heads = 0;
  openStreams = 0;

  constructor(script: OriginScript, repository = 'library/app') {
    this.script = script;
    this.digest = digestOf(script.bytes);
    this.reads = new Uint16Array(script.bytes.length);
    const name = parseRepositoryName(repository);
    if (name === undefined) throw new Error(`not a repository name: ${repository}`);
    this.repository = name;
  }

  get origin(): BlobOrigin {
    return { upstream: 'docker.io', repository: this.repository, client: this };
  }

  async headBlob(): Promise<BlobHead> {
    this.heads += 1;
    await turn();
    const refusal = this.script.refuse?.(this.gets.length);
    if (refusal !== undefined) throw refusal;
    return { size: this.script.bytes.length };
  }

  async getBlob(
    _repository: unknown,
    _digest: Digest,
    { span, signal }: { readonly span?: Span; readonly signal: AbortSignal },
  ): Promise<BlobStream> {
    const answer = this.gets.length;
    this.gets.push(span);
    await turn();
    if (signal.aborted) throw new UpstreamError('unavailable', 'aborted', { cause: signal.reason });
    const refusal = this.script.refuse?.(answer);
    if (refusal !== undefined) throw refusal;
    const honoured = this.script.ignoresRanges === true ? undefined : span;
    const { length } = this.script.bytes;
    return {
      start: honoured?.start ?? 0,
      size: this.script.hidesSize === true ? undefined : length,
      chunks: this.#chunks(honoured ?? { start: 0, end: length }, answer, signal),
    };
  }

  async *#chunks({ start, end }: Span, answer: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { bytes, chunkBytes, chunk, gate } = this.script;
    this.openStreams += 1;
    try {
      for (let position = start; position < end; position += chunkBytes) {
        await turn();
        await gate?.(position);
        if (signal.aborted) throw new UpstreamError('unavailable', 'aborted', { cause: signal.reason });
        const until = Math.min(end, position + chunkBytes);
        const right = bytes.slice(position, until);
        const sent = chunk?.(position, right, answer) ?? right;
        if (!(sent instanceof Uint8Array)) throw sent;
        for (let index = position; index < until; index += 1)
          this.reads[index] = (this.reads[index] ?? 0) + 1;
        yield sent;
      }
    } finally {
      this.openStreams -= 1;
    }
  }
}

export function digestOf(bytes: Uint8Array): Digest {
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  if (digest === undefined) throw new Error('sha256 gave no digest');
  return digest;
}

/** Bytes that differ at every position that matters, the same for the same seed. */
export function patternBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2_654_435_761;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
