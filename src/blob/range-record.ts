import { createHash } from 'node:crypto';
import * as z from 'zod';
import { RangeSet } from '../base/range-set.ts';
import type { Digest } from '../oci/digest.ts';

/** What is on disk of an unfinished blob, as the last checkpoint knew it. */
export interface RangeRecord {
  readonly digest: Digest;
  /** Length of the whole blob; `undefined` where nobody told it yet. */
  readonly size: number | undefined;
  readonly present: RangeSet;
}

/** More spans than this are not recorded: after a crash the rest is fetched again. */
export const maxRecordedSpans = 16_384;

/** Two numbers of at most 16 digits a span, the frame around them, and slack. */
export const maxRangeRecordBytes = maxRecordedSpans * 40 + 4096;

const position = z.int().nonnegative();

const shape = z.object({
  version: z.literal(1),
  digest: z.string(),
  size: position.nullable(),
  spans: z.array(z.tuple([position, position])).max(maxRecordedSpans),
});

/** One line of JSON and one with its SHA-256, so that a torn write is seen. */
export function formatRangeRecord({ digest, size, present }: RangeRecord): Uint8Array {
  const spans = present.spans.slice(0, maxRecordedSpans).map(({ start, end }) => [start, end]);
  const body = JSON.stringify({ version: 1, digest, size: size ?? null, spans });
  return Buffer.from(`${body}\n${checksum(body)}\n`);
}

/** `undefined` for anything torn, damaged, of another version or of another blob. */
export function parseRangeRecord(bytes: Uint8Array, digest: Digest): RangeRecord | undefined {
  const [body, sum, rest, ...more] = Buffer.from(bytes).toString('utf8').split('\n', 4);
  if (body === undefined || sum !== checksum(body) || rest !== '' || more.length > 0) return undefined;
  const parsed = shape.safeParse(parseJson(body));
  if (!parsed.success || parsed.data.digest !== digest) return undefined;
  const { size, spans } = parsed.data;
  const limit = size ?? Number.MAX_SAFE_INTEGER;
  if (spans.some(([start, end]) => start >= end || end > limit)) return undefined;
  const present = RangeSet.from(spans.map(([start, end]) => ({ start, end })));
  return { digest, size: size ?? undefined, present };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which the shape rejects
  }
}

function checksum(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
