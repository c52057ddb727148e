import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { productionLock, projectRoot, readProjectFile, type LockFile } from './production-lock.ts';

/** Makes `npm-shrinkwrap.json`, with which an installed release has exactly the packages that its tests ran with. */

const lock = await readProjectFile<LockFile>('package-lock.json');
await writeFile(
  join(projectRoot, 'npm-shrinkwrap.json'),
  `${JSON.stringify(productionLock(lock), undefined, 2)}\n`,
);
