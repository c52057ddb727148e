import { createHash } from 'node:crypto';
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
  const record = parseJson(body);
  if (!isObject(record) || record['version'] !== 1 || record['digest'] !== digest) return undefined;
  const size = record['size'] ?? undefined;
  if (size !== undefined && !isPosition(size)) return undefined;
  const present = parseSpans(record['spans'], size ?? Number.MAX_SAFE_INTEGER);
  return present && { digest, size, present };
}

function parseSpans(value: unknown, limit: number): RangeSet | undefined {
  if (!Array.isArray(value) || value.length > maxRecordedSpans) return undefined;
  const present = new RangeSet();
  for (const pair of value as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    const [start, end] = pair as readonly unknown[];
    if (!isPosition(start) || !isPosition(end) || start >= end || end > limit) return undefined;
    present.add({ start, end });
  }
  return present;
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which is no object
  }
}

function checksum(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
