import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '../..');

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A lock file of npm (docs.npmjs.com/cli/configuring-npm/package-lock-json, version 3). */
export interface LockFile {
  /** By the folder that each one lies in; the project itself by the empty name. */
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage {
  /** Needed for development alone. */
  readonly dev?: boolean;
  /** May be missing, where it is made for another platform for instance. */
  readonly optional?: boolean;
  readonly version?: string;
  readonly devDependencies?: unknown;
}

export async function readProjectFile<Content>(name: string): Promise<Content> {
  return JSON.parse(await readFile(join(projectRoot, name), 'utf8'));
}

/** What `lock` says about a release, which has no development dependencies. */
export function productionLock(lock: LockFile): LockFile {
  const packages = Object.entries(lock.packages)
    .filter(([, { dev }]) => dev !== true)
    .map(([folder, entry]) => [folder, { ...entry, devDependencies: undefined }] as const);
  return { ...lock, packages: Object.fromEntries(packages) };
}
