/**
 * - `DATA_FOLDER_LOCKED`: another process uses it
 * - `DATA_FOLDER_NEWER`: a newer release wrote it
 * - `DATA_FOLDER_UNUSABLE`: no folder, not writable, no locks, or a FORMAT that is none; `cause` says
 */
export type DataFolderErrorCode = 'DATA_FOLDER_LOCKED' | 'DATA_FOLDER_NEWER' | 'DATA_FOLDER_UNUSABLE';

/** A data folder that this process must not use. The message is meant for the operator. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
  readonly code: DataFolderErrorCode;

  constructor(code: DataFolderErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
