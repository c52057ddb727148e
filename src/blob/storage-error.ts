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
