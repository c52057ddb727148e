import type { Span } from '../base/range-set.ts';
import { formatContentRange } from '../oci/byte-range.ts';
import { digestHex, type Digest } from '../oci/digest.ts';

/** The frame around several ranges of one blob in one answer (RFC 9110, section 14.6). */
export interface MultipartFrame {
  readonly contentType: string;
  /** Bytes of the whole body, heads and tail included. */
  readonly contentLength: number;
  /** What stands before the bytes of each range, in the order of the ranges. */
  readonly heads: readonly Buffer[];
  readonly tail: Buffer;
}

/** RFC 2046, section 5.1.1, allows 70 characters. */
const boundaryDigits = 48;

/**
 * The boundary is taken from the digest: nobody can make a blob that contains its own digest, so it never occurs in
 * the bytes, and equal requests get equal answers.
 */
export function frameRanges(digest: Digest, size: number, spans: readonly Span[]): MultipartFrame {
  const boundary = `wherry-${digestHex(digest).slice(0, boundaryDigits)}`;
  let contentLength = 0;
  const heads = spans.map(({ start, end }, index) => {
    const head = Buffer.from(
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\n` +
        'Content-Type: application/octet-stream\r\n' +
        `Content-Range: ${formatContentRange({ start, end, size })}\r\n\r\n`,
      'latin1',
    );
    contentLength += head.length + (end - start);
    return head;
  });
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    contentLength: contentLength + tail.length,
    heads,
    tail,
  };
}
