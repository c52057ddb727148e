/** The errors of every store; they live in base because stores for tags fail with them too. */
export { StorageError, StorageFullError } from '../base/storage-error.ts';
