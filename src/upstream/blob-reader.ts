import type { Span } from '../base/range-set.ts';
import { parseContentRange } from '../oci/byte-range.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { HttpAnswer } from './http-transport.ts';
import { assertIdentity, malformed } from './manifest-reader.ts';
import { redactUrl } from './redact.ts';
import { isRedirect } from './redirect-policy.ts';
import type { BlobHead, BlobSource, BlobStream } from './registry-client.ts';
import type { RegistryExchange } from './registry-exchange.ts';
import { UpstreamError } from './upstream-error.ts';

/** BlobSource over HTTP. */
export class BlobReader implements BlobSource {
  readonly #exchange: RegistryExchange;

  constructor(exchange: RegistryExchange) {
    this.#exchange = exchange;
  }

  /**
   * A redirect to an object store is not followed: presigned URLs are made for GET and turn HEAD away. A redirect's own
   * Content-Length is no blob's, so the first byte is asked for instead, and its Content-Range tells the size.
   */
  async headBlob(repository: RepositoryName, digest: Digest, signal: AbortSignal): Promise<BlobHead> {
    const answer = await this.#exchange.call({
      method: 'HEAD',
      repository,
      target: `blobs/${digest}`,
      lane: 'control',
      accept: [200],
      stopAtOtherOrigin: true,
      signal,
    });
    answer.discard();
    const size = isRedirect(answer.status) ? undefined : contentLength(answer);
    return { size: size ?? (await this.#sizeByFirstByte(repository, digest, signal)) };
  }

  async getBlob(
    repository: RepositoryName,
    digest: Digest,
    options: { readonly span?: Span; readonly signal: AbortSignal },
  ): Promise<BlobStream> {
    const { span, signal } = options;
    const answer = await this.#exchange.call({
      method: 'GET',
      repository,
      target: `blobs/${digest}`,
      ...(span === undefined ? {} : { headers: { range: `bytes=${span.start}-${span.end - 1}` } }),
      lane: 'bulk',
      accept: span === undefined ? [200] : [200, 206],
      signal,
    });
    try {
      assertIdentity(answer, 'GET');
      const frame = frameOf(answer, span);
      return { start: frame.start, size: frame.size, chunks: exactly(answer, frame.length) };
    } catch (error) {
      answer.discard();
      throw error;
    }
  }

  async #sizeByFirstByte(repository: RepositoryName, digest: Digest, signal: AbortSignal): Promise<number> {
    const answer = await this.#exchange.call({
      method: 'GET',
      repository,
      target: `blobs/${digest}`,
      headers: { range: 'bytes=0-0' },
      lane: 'control',
      accept: [200, 206, 416],
      signal,
    });
    answer.discard();
    if (answer.status === 416 && /^bytes +\*\/0$/i.test(answer.header('content-range') ?? '')) return 0;
    if (answer.status === 416) throw malformed(answer, 'GET', 'no first byte in a blob that is not empty');
    const size =
      answer.status === 206
        ? parseContentRange(answer.header('content-range') ?? '')?.size
        : contentLength(answer);
    if (size === undefined) throw malformed(answer, 'GET', 'the size of the blob is not told');
    return size;
  }
}

interface Frame {
  readonly start: number;
  /** Of the whole blob. */
  readonly size: number | undefined;
  /** Of this body. */
  readonly length: number | undefined;
}

/** RFC 9110, 15.3.7: a 206 may carry less than was asked for at the blob's end only, as it is understood here. */
function frameOf(answer: HttpAnswer, span: Span | undefined): Frame {
  const announced = contentLength(answer);
  if (answer.status === 200) return { start: 0, size: announced, length: announced };
  const range = parseContentRange(answer.header('content-range') ?? '');
  if (range === undefined || span === undefined) throw malformed(answer, 'GET', '206 without a usable range');
  const isWhole = range.end === span.end || (range.end < span.end && range.end === range.size);
  if (range.start !== span.start || !isWhole) {
    throw malformed(
      answer,
      'GET',
      `bytes ${range.start}-${range.end - 1} came instead of ${span.start}-${span.end - 1}`,
    );
  }
  const length = range.end - range.start;
  if (announced !== undefined && announced !== length) {
    throw malformed(answer, 'GET', `a length of ${announced} contradicts a range of ${length} bytes`);
  }
  return { start: range.start, size: range.size, length };
}

async function* exactly(
  answer: HttpAnswer,
  length: number | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let received = 0;
  for await (const chunk of answer.body) {
    received += chunk.length;
    if (length !== undefined && received > length)
      throw malformed(answer, 'GET', `more than ${length} bytes`);
    yield chunk;
  }
  if (length === undefined || received === length) return;
  const request = `GET ${redactUrl(answer.url)}`;
  throw new UpstreamError('unavailable', `${request}: ${received} of ${length} bytes`, { request });
}

function contentLength(answer: HttpAnswer): number | undefined {
  const text = answer.header('content-length')?.trim() ?? '';
  const length = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(length) ? length : undefined;
}
