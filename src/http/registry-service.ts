import type { IncomingHttpHeaders } from 'node:http';
import type { LogFields } from '../base/logger.ts';
import type { ByteSource } from '../blob/byte-source.ts';
import type { Digest } from '../oci/digest.ts';
import type { Route } from '../oci/route.ts';

/**
 * Answers requests under `/v2/`. Fails with OciError for what the client is to read; any other error is ours and becomes
 * 500 UNKNOWN. May answer synchronously: a warm answer must not cost a turn of the event loop.
 */
export interface RegistryService {
  handle(request: RegistryRequest): RegistryAnswer | Promise<RegistryAnswer>;
}

export interface RegistryRequest {
  readonly method: string;
  readonly route: Route;
  readonly headers: IncomingHttpHeaders;
  /** Parsed from the URL on first use. */
  readonly query: URLSearchParams;
  /** The `Host` header, lower-case, port included. */
  readonly host: string | undefined;
  /** Aborts when the client goes away before the answer is complete. Created on first use. */
  readonly signal: AbortSignal;
}

/** Header names in their usual spelling; `Content-Length` is set by the writer from the body. */
export interface RegistryAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AnswerBody;
  /** Fields for the request's log line: upstream, repository, cache ... */
  readonly log?: LogFields;
}

export type AnswerBody =
  | { readonly kind: 'empty' }
  /** Small and whole in memory; for HEAD only its length is sent. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Bytes of a blob: the writer answers ranges and conditions and picks 200, 206, 304 or 416 (`status` is 200 then). */
  | { readonly kind: 'blob'; readonly content: BlobContent };

export interface BlobContent {
  readonly digest: Digest;
  readonly size: number;
  /** Opens the bytes; the writer closes the source. Called never for HEAD, once for each range otherwise. */
  open(wanted: WantedBytes): Promise<ByteSource>;
}

/**
 * `whole` and `from` run to the end of the blob and join a running fill, with the last bytes withheld until the digest
 * has passed; `slice` is a closed range, answered at once, unverified where the blob is not complete.
 */
export type WantedBytes =
  | { readonly kind: 'whole' }
  | { readonly kind: 'from'; readonly start: number }
  | { readonly kind: 'slice'; readonly start: number; readonly end: number };
