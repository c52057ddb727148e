import { SchemaMismatchError } from './sqlite-cache-index-schema.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const code = {
  error: 1,
  corrupt: 11,
  schema: 17,
  tooBig: 18,
  constraint: 19,
  mismatch: 20,
  misuse: 21,
  notADb: 26,
};

/** Codes that speak of the statement or its values: trying again gives the same. */
const permanent: readonly number[] = [code.error, code.tooBig, code.constraint, code.mismatch, code.misuse];

/** How node:sqlite answers a number beyond 2^53: nothing here writes one. */
const unreadableNumber = 'ERR_OUT_OF_RANGE';

/** node:sqlite reports SQLite's own errors and the use of a closed database; anything else is ours. */
export function isStorageFailure(error: unknown): boolean {
  const name = property(error, 'code');
  return name === 'ERR_SQLITE_ERROR' || name === 'ERR_INVALID_STATE' || name === unreadableNumber;
}

/** Whether the same write may pass later: a full or failing disk, a lock, a closed or damaged database. */
export function isUnavailable(error: unknown): boolean {
  const result = resultCode(error);
  return result === undefined || !permanent.includes(result);
}

/** The file is no database, or not one that can be trusted. */
export function isDamage(error: unknown): boolean {
  const result = resultCode(error);
  return result === code.corrupt || result === code.notADb || property(error, 'code') === unreadableNumber;
}

/** At opening, missing tables or columns and another version mean a file that this program can't use. */
export function isUnusable(error: unknown): boolean {
  return error instanceof SchemaMismatchError || isDamage(error) || resultCode(error) === code.error;
}

/** The low byte of an extended result code. */
function resultCode(error: unknown): number | undefined {
  const extended = property(error, 'errcode');
  return typeof extended === 'number' ? extended & 0xff : undefined;
}

function property(error: unknown, name: string): unknown {
  return error instanceof Error ? (error as unknown as Record<string, unknown>)[name] : undefined;
}
