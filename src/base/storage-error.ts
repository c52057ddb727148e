/** The store has no room for more bytes (ENOSPC, EDQUOT, or a reserve that is kept free). */
export class StorageFullError extends Error {
  override readonly name = 'StorageFullError';
  readonly code = 'STORAGE_FULL';
}

/** The store failed in another way (EIO, EROFS, EMFILE ...). `cause` is the system's error. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code = 'STORAGE_FAILED';
}

/**
 * The error to throw when a system call failed while `action` was under way ("write a blob"). Storage errors pass
 * unchanged, and so does what is no system error: a broken promise of our own code must not look like a broken disk.
 */
export function storageErrorFrom(error: unknown, action: string): Error {
  const code = systemErrorCode(error);
  if (code === undefined) return error instanceof Error ? error : new StorageError(action, { cause: error });
  const message = `cannot ${action}: ${code}`;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new StorageFullError(message, { cause: error })
    : new StorageError(message, { cause: error });
}

/** `ENOENT` and the like; `undefined` for what did not come from a system call. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
