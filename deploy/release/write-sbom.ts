import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  productionLock,
  projectRoot,
  readProjectFile,
  type LockFile,
  type Manifest,
} from './production-lock.ts';

/**
 * Makes `build/wherry.cdx.json`, the software bill of materials of a release (CycloneDX 1.5): what is installed with it,
 * on every platform.
 *
 * npm writes it, for a project that has no development dependencies: its own way to leave them out (`--omit=dev`) also
 * leaves out what both kinds need. And it calls a project by the name of its folder.
 */

const maxOutputBytes = 64 * 1024 * 1024;

const manifest = await readProjectFile<Manifest>('package.json');
const lock = productionLock(await readProjectFile<LockFile>('package-lock.json'));
const temporary = await mkdtemp(join(tmpdir(), 'wherry-sbom-'));
try {
  const cwd = join(temporary, manifest.name);
  await mkdir(cwd);
  await writeFile(join(cwd, 'package.json'), JSON.stringify({ ...manifest, devDependencies: undefined }));
  await writeFile(join(cwd, 'package-lock.json'), JSON.stringify(lock));
  const flags = ['--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  const { stdout } = await promisify(execFile)('npm', ['sbom', ...flags], { cwd, maxBuffer: maxOutputBytes });
  await mkdir(join(projectRoot, 'build'), { recursive: true });
  await writeFile(join(projectRoot, 'build/wherry.cdx.json'), stdout);
} finally {
  await rm(temporary, { recursive: true });
}
