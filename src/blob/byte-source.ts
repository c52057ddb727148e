/**
 * A run of bytes that is read once, front to back.
 *
 * The one who opened it closes it, on success and on failure; `close` may be called at any time, any number of times,
 * also while a `read` is pending (which then rejects). After a rejected read nothing more may be delivered as if whole.
 */
export interface ByteSource {
  /** How many bytes this source will deliver in all. */
  readonly length: number;
  /**
   * Puts the next bytes at the start of `into` and says how many: at least 1, until all `length` bytes were delivered;
   * then 0. May wait for bytes that are still coming. One read at a time.
   */
  read(into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}
