import type { Span } from '../base/range-set.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type {
  BlobHead,
  BlobStream,
  FetchedManifest,
  ManifestHead,
  ReferrersListing,
  RegistryClient,
} from './registry-client.ts';
import { givenUp, transportFailure } from './transport-failure.ts';
import { UpstreamError } from './upstream-error.ts';

export interface MemoryCall {
  readonly operation: keyof RegistryClient;
  readonly repository: RepositoryName;
  /** Reference or digest; empty for a list of tags. */
  readonly subject: string;
  readonly span: Span | undefined;
  /** Body bytes that were pulled. */
  bytes: number;
}

/** How a MemoryRegistryClient misbehaves; each part may be changed between calls. */
export interface MemoryScript {
  /** Length of the chunks of a body. */
  chunkBytes: number;
  /** Answers each range with the whole blob. */
  ignoresRanges: boolean;
  /** Leaves the length of blobs untold. */
  hidesSize: boolean;
  /** Awaited before a call is answered. Throwing UpstreamError refuses it, not resolving stalls it. */
  beforeCall: (call: MemoryCall) => void | Promise<void>;
  /** Awaited before a chunk is handed out; gives the bytes to hand out. Throwing UpstreamError cuts the body. */
  beforeChunk: (chunk: Uint8Array, position: number, call: MemoryCall) => Uint8Array | Promise<Uint8Array>;
}

interface MemoryRepository {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, FetchedManifest>;
  readonly tags: Map<string, Digest>;
  readonly referrers: Map<string, Readonly<Record<string, unknown>>[]>;
}

/** An upstream in memory: RegistryClient's reference adapter, and the twin that tests of the cache run on. */
export class MemoryRegistryClient implements RegistryClient {
  readonly calls: MemoryCall[] = [];
  readonly script: MemoryScript = {
    chunkBytes: 64 * 1024,
    ignoresRanges: false,
    hidesSize: false,
    beforeCall: () => undefined,
    beforeChunk: (chunk) => chunk,
  };
  /** Bodies that were begun and neither ended nor left. */
  openBodies = 0;
  readonly #repositories = new Map<RepositoryName, MemoryRepository>();

  addBlob(repository: RepositoryName, digest: Digest, bytes: Uint8Array): void {
    this.#open(repository).blobs.set(digest, bytes);
  }

  addManifest(repository: RepositoryName, manifest: FetchedManifest, tag?: string): void {
    const { manifests, tags } = this.#open(repository);
    manifests.set(manifest.digest, manifest);
    if (tag !== undefined) tags.set(tag, manifest.digest);
  }

  addReferrer(
    repository: RepositoryName,
    subject: Digest,
    descriptor: Readonly<Record<string, unknown>>,
  ): void {
    const { referrers } = this.#open(repository);
    referrers.set(subject, [...(referrers.get(subject) ?? []), descriptor]);
  }

  removeTag(repository: RepositoryName, tag: string): void {
    this.#open(repository).tags.delete(tag);
  }

  removeRepository(repository: RepositoryName): void {
    this.#repositories.delete(repository);
  }

  /** How many calls of one operation came. */
  count(operation: MemoryCall['operation']): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  /** Body bytes of blobs that were pulled, all calls together. */
  get blobBytes(): number {
    return this.calls.reduce((sum, { operation, bytes }) => (operation === 'getBlob' ? sum + bytes : sum), 0);
  }

  async headManifest(
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<ManifestHead> {
    await this.#begin({ operation: 'headManifest', repository, subject: formatReference(reference) }, signal);
    const { digest, mediaType, bytes } = this.#manifest(repository, reference);
    return { digest, mediaType, size: bytes.length };
  }

  async getManifest(
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<FetchedManifest> {
    const subject = formatReference(reference);
    const call = await this.#begin({ operation: 'getManifest', repository, subject }, signal);
    const manifest = this.#manifest(repository, reference);
    call.bytes = manifest.bytes.length;
    return manifest;
  }

  async headBlob(repository: RepositoryName, digest: Digest, signal: AbortSignal): Promise<BlobHead> {
    await this.#begin({ operation: 'headBlob', repository, subject: digest }, signal);
    return { size: this.#blob(repository, digest).length };
  }

  async getBlob(
    repository: RepositoryName,
    digest: Digest,
    options: { readonly span?: Span; readonly signal: AbortSignal },
  ): Promise<BlobStream> {
    const { span, signal } = options;
    const call = await this.#begin({ operation: 'getBlob', repository, subject: digest, span }, signal);
    const bytes = this.#blob(repository, digest);
    const wanted = span === undefined || this.script.ignoresRanges ? { start: 0, end: bytes.length } : span;
    if (wanted.start >= bytes.length && bytes.length > 0) {
      throw new UpstreamError('malformed', `getBlob ${digest}: range not satisfiable`, { status: 416 });
    }
    const slice = bytes.subarray(wanted.start, wanted.end);
    const size = this.script.hidesSize ? undefined : bytes.length;
    return { start: wanted.start, size, chunks: this.#body(slice, wanted.start, call, signal) };
  }

  async listTags(repository: RepositoryName, signal: AbortSignal): Promise<readonly string[]> {
    await this.#begin({ operation: 'listTags', repository, subject: '' }, signal);
    return [...this.#repository(repository).tags.keys()].sort();
  }

  async listReferrers(
    repository: RepositoryName,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<ReferrersListing> {
    await this.#begin({ operation: 'listReferrers', repository, subject: digest }, signal);
    return { manifests: this.#repository(repository).referrers.get(digest) ?? [] };
  }

  async #begin(
    parts: Pick<MemoryCall, 'operation' | 'repository' | 'subject'> & { span?: Span | undefined },
    signal: AbortSignal,
  ): Promise<MemoryCall> {
    const call: MemoryCall = { ...parts, span: parts.span, bytes: 0 };
    this.calls.push(call);
    await orAbort(() => this.script.beforeCall(call), `${call.operation} ${call.subject}`, signal);
    return call;
  }

  async *#body(
    bytes: Uint8Array,
    start: number,
    call: MemoryCall,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    this.openBodies += 1;
    try {
      for (let at = 0; at < bytes.length; at += this.script.chunkBytes) {
        const chunk = bytes.slice(at, at + this.script.chunkBytes);
        const name = `${call.operation} ${call.subject}`;
        const sent = await orAbort(() => this.script.beforeChunk(chunk, start + at, call), name, signal);
        call.bytes += sent.length;
        yield sent;
      }
    } finally {
      this.openBodies -= 1;
    }
  }

  #open(repository: RepositoryName): MemoryRepository {
    let open = this.#repositories.get(repository);
    if (open === undefined) {
      open = { blobs: new Map(), manifests: new Map(), tags: new Map(), referrers: new Map() };
      this.#repositories.set(repository, open);
    }
    return open;
  }

  #repository(repository: RepositoryName): MemoryRepository {
    return this.#repositories.get(repository) ?? absent(repository);
  }

  #manifest(repository: RepositoryName, reference: Reference): FetchedManifest {
    const { manifests, tags } = this.#repository(repository);
    const digest = reference.kind === 'digest' ? reference.digest : tags.get(reference.tag);
    return manifests.get(digest ?? '') ?? absent(formatReference(reference));
  }

  #blob(repository: RepositoryName, digest: Digest): Uint8Array {
    return this.#repository(repository).blobs.get(digest) ?? absent(digest);
  }
}

function absent(what: string): never {
  throw new UpstreamError('absent', `${what}: not found`, { status: 404 });
}

/** As the network does it: an abort ends the wait, whatever is being waited for. */
async function orAbort<T>(work: () => T | Promise<T>, name: string, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw givenUp(name, signal.reason);
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(givenUp(name, signal.reason));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(), aborted.promise]);
  } catch (error) {
    throw transportFailure(error, name, signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
