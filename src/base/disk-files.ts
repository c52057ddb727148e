import { mkdir, open, opendir, rename, stat, statfs, unlink } from 'node:fs/promises';
import type { FileSystem } from './file-system.ts';

/** The file system of this machine. */
export const nodeDiskFiles: FileSystem = { mkdir, open, opendir, rename, stat, statfs, unlink };
