/** The size of a large layer. */
export const largeBlobBytes = 298 * 1024 * 1024;
