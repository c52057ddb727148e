import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { productionLock, projectRoot, readProjectFile, type LockFile } from './production-lock.ts';

/**
 * Makes `npm-shrinkwrap.json`. A release installed from a registry gets exactly the packages that its tests ran with; from a
 * tarball on disk npm follows only what package.json pins itself.
 */

const lock = await readProjectFile<LockFile>('package-lock.json');
await writeFile(
  join(projectRoot, 'npm-shrinkwrap.json'),
  `${JSON.stringify(productionLock(lock), undefined, 2)}\n`,
);
