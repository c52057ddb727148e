import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  productionLock,
  readProjectFile,
  type LockFile,
  type Manifest,
} from '../../deploy/release/production-lock.ts';
import { Edge } from '../programs/edge.ts';
import { busyboxImage } from '../programs/images.ts';
import { Registry } from '../programs/registry.ts';
import { runCommand } from '../programs/run-command.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { TempFolder } from '../programs/temp-folder.ts';
import { expectPull } from './expect-pull.ts';
import { npm } from './project.ts';

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** What the package is allowed to hold. */
const shipped = [
  /^(?:LICENSE|README\.md|CHANGELOG\.md|package\.json|npm-shrinkwrap\.json)$/,
  /^bin\/wherry$/,
  /^dist\/(?:src|edge|config)\/[a-z0-9/-]+\.js$/,
  /^config\/(?:reference\.md|edge\.schema\.json)$/,
  /^config\/examples\/[a-z-]+\.yaml$/,
  /^deploy\/systemd\/[a-z-]+\.(?:service|yaml)$/,
];

/** Some of it, which must not get lost. */
const needed = ['LICENSE', 'npm-shrinkwrap.json', 'dist/edge/main.js', 'deploy/systemd/wherry-edge.service'];

/** Compressed. What it depends on comes beside it. */
const maxPackageBytes = 400_000;

/** The machine's own programs, without those that npm adds for its scripts: the pinned Node is not among them. */
const machinePath = (process.env['PATH'] ?? '')
  .split(path.delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(path.delimiter);

describeWithPrograms('the npm package', { programs: ['docker-registry', 'busybox'] }, () => {
  let folder: TempFolder;
  let packed: Packed;
  let wherry: string;

  beforeAll(async () => {
    folder = await TempFolder.create('package');
    const { stdout } = await npm(['pack', '--json', '--pack-destination', folder.path]);
    packed = (JSON.parse(stdout) as Packed[])[0]!;
    const prefix = folder.file('prefix');
    await mkdir(prefix);
    const tarball = folder.file(packed.filename);
    await npm(['install', '--global', '--prefer-offline', '--prefix', prefix, tarball], {
      cwd: folder.path,
      env: { PATH: machinePath },
    });
    wherry = path.join(prefix, 'bin/wherry');
    console.log(`npm package: ${packed.size} bytes, ${packed.files.length} files`);
  });

  afterAll(async () => {
    await folder?.[Symbol.asyncDispose]();
  });

  test('is small, and holds what runs and nothing else', () => {
    const paths = packed.files.map((file) => file.path);
    expect(paths.filter((name) => !shipped.some((pattern) => pattern.test(name)))).toEqual([]);
    expect(paths.filter((name) => /\.test\.|testing\/|memory-/.test(name))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(needed));
    expect(packed.size).toBeLessThan(maxPackageBytes);
  });

  test('brings what it depends on in the versions that it pins, and nothing that only development needs', async () => {
    const { dependencies } = await readProjectFile<Manifest>('package.json');
    const installed = folder.file('prefix/lib/node_modules/wherry');
    for (const [name, version] of Object.entries(dependencies)) {
      const manifest = JSON.parse(
        await readFile(path.join(installed, 'node_modules', name, 'package.json'), 'utf8'),
      );
      expect([name, manifest.version]).toEqual([name, version]);
    }
    expect(await readdir(path.join(installed, 'node_modules'))).not.toContain('vitest');
  });

  test('carries the whole lock file without development, for installs from a registry', async () => {
    const carried = await readFile(folder.file('prefix/lib/node_modules/wherry/npm-shrinkwrap.json'), 'utf8');
    const lock = productionLock(await readProjectFile<LockFile>('package-lock.json'));
    expect(JSON.parse(carried)).toEqual(JSON.parse(JSON.stringify(lock)));
  });

  test('--version prints that of the package', async () => {
    const { stdout } = await runCommand(wherry, ['--version'], { env: { PATH: machinePath } });
    const { version } = await readProjectFile<{ readonly version: string }>('package.json');
    expect(stdout).toBe(`${version}\n`);
  });

  test('runs an edge that is pulled through', async () => {
    const content = busyboxImage('oci', 'installed package');
    await using upstream = await Registry.start({ folder: folder.file('upstream') });
    await upstream.push('library/app:1', content);
    await using edge = await Edge.start({
      folder: folder.file('edge'),
      upstreams: { 'docker.io': upstream.url },
      launcher: ['env', `PATH=${machinePath}`, wherry],
    });
    await expectPull(edge.url, 'library/app:1', content);
  });
});
