import { type Digest, parseDigest } from '../oci/digest.ts';

/** What every record says. */
export interface StoredRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  /** The value of the field that the caller named: finite and not negative. */
  readonly number: number;
}

/** Parses a record of a digest, a media type and one number; `undefined` when it is anything else. */
export function parseStoredRecord(value: unknown, numberField: string): StoredRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { digest: digestText, mediaType, [numberField]: number } = value as Record<string, unknown>;
  const digest = typeof digestText === 'string' ? parseDigest(digestText) : undefined;
  if (digest === undefined || typeof mediaType !== 'string') return undefined;
  if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) return undefined;
  return { digest, mediaType, number };
}
