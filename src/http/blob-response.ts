import type { IncomingHttpHeaders } from 'node:http';
import {
  formatContentRange,
  formatUnsatisfiedRange,
  parseRangeHeader,
  type ByteRange,
} from '../oci/byte-range.ts';
import { OciError } from '../oci/error.ts';
import { allowsRange, digestEntityTag, matchesEntityTag } from './entity-tag.ts';
import { frameRanges } from './multipart-ranges.ts';
import type { BlobContent, WantedBytes } from './registry-service.ts';

/** The answer to a request for a blob before any byte of it was opened. */
export interface BlobResponse {
  readonly status: 200 | 206 | 304;
  readonly headers: Readonly<Record<string, string>>;
  /** `undefined` where the answer has no content (304). */
  readonly contentLength: number | undefined;
  /** In the order of sending; none for HEAD and 304. */
  readonly parts: readonly BlobPart[];
  /** Stands behind the last part. */
  readonly tail: Buffer | undefined;
}

export interface BlobPart {
  /** Stands before the part's bytes. */
  readonly head: Buffer | undefined;
  readonly wanted: WantedBytes;
  readonly length: number;
}

export interface BlobRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** A digest names the same bytes for ever (RFC 8246). */
const immutable = 'public, max-age=31536000, immutable';

/**
 * Decides between 200, 206 and 304 (RFC 9110, sections 13 and 14): the condition first, then the range, which counts
 * for GET only. Fails with OciError: 416 for a range that the blob does not have, 400 for too many of them.
 * Of `headers`, the service's own, `Cache-Control` wins over the default.
 */
export function blobResponse(
  request: BlobRequest,
  content: BlobContent,
  headers: Readonly<Record<string, string>>,
): BlobResponse {
  const { digest, size } = content;
  const entityTag = digestEntityTag(digest);
  const common = { 'Cache-Control': immutable, ...headers, 'Docker-Content-Digest': digest, ETag: entityTag };

  const ifNoneMatch = request.headers['if-none-match'];
  if (ifNoneMatch !== undefined && matchesEntityTag(ifNoneMatch, entityTag)) {
    return { status: 304, headers: common, contentLength: undefined, parts: [], tail: undefined };
  }

  const described = { ...common, 'Accept-Ranges': 'bytes', 'Content-Type': 'application/octet-stream' };
  if (request.method !== 'HEAD') {
    const ranges = wantedRanges(request.headers, entityTag, size);
    const [first] = ranges;
    if (first !== undefined) {
      return ranges.length === 1
        ? singleRange(first, size, described)
        : severalRanges(ranges, content, described);
    }
  }
  const whole: BlobPart = { head: undefined, wanted: { kind: 'whole' }, length: size };
  const parts = request.method === 'HEAD' || size === 0 ? [] : [whole];
  return { status: 200, headers: described, contentLength: size, parts, tail: undefined };
}

function wantedRanges(headers: IncomingHttpHeaders, entityTag: string, size: number): readonly ByteRange[] {
  const ifRange = headers['if-range'];
  if (headers.range === undefined) return [];
  if (!allowsRange(typeof ifRange === 'string' ? ifRange : undefined, entityTag)) return [];
  const parsed = parseRangeHeader(headers.range, size);
  switch (parsed.kind) {
    case 'none':
      return [];
    case 'unsatisfiable':
      throw new OciError('RANGE_INVALID', { headers: { 'Content-Range': formatUnsatisfiedRange(size) } });
    case 'too-many':
      throw new OciError('REQUEST_INVALID', { detail: 'too many ranges' });
    case 'ranges':
      return parsed.ranges;
  }
}

function singleRange(range: ByteRange, size: number, headers: Record<string, string>): BlobResponse {
  return {
    status: 206,
    headers: { ...headers, 'Content-Range': formatContentRange({ ...range, size }) },
    contentLength: range.end - range.start,
    parts: [{ head: undefined, wanted: wantedBytes(range), length: range.end - range.start }],
    tail: undefined,
  };
}

/** Ranges that overlap so much that they come to more than the blob are an attack on the line: RFC 9110, section 14.2. */
function severalRanges(
  ranges: readonly ByteRange[],
  content: BlobContent,
  headers: Record<string, string>,
): BlobResponse {
  const total = ranges.reduce((sum, range) => sum + range.end - range.start, 0);
  if (total > content.size) throw new OciError('REQUEST_INVALID', { detail: 'overlapping ranges' });
  const frame = frameRanges(content.digest, content.size, ranges);
  return {
    status: 206,
    headers: { ...headers, 'Content-Type': frame.contentType },
    contentLength: frame.contentLength,
    parts: ranges.map((range, index) => ({
      head: frame.heads[index],
      wanted: wantedBytes(range),
      length: range.end - range.start,
    })),
    tail: frame.tail,
  };
}

function wantedBytes(range: ByteRange): WantedBytes {
  return range.openEnded
    ? { kind: 'from', start: range.start }
    : { kind: 'slice', start: range.start, end: range.end };
}
