import { copyFile, readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readProjectFile, type Manifest } from '../../deploy/release/production-lock.ts';
import { Edge } from '../programs/edge.ts';
import { busyboxImage } from '../programs/images.ts';
import { Registry } from '../programs/registry.ts';
import { CommandError, runCommand } from '../programs/run-command.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { TempFolder } from '../programs/temp-folder.ts';
import { alone, buildExecutable } from './executable.ts';
import { expectPull } from './expect-pull.ts';

/** Of memory that no other process shares and the system can't take back. Some 35 MB were measured. */
const maxPrivateKilobytes = 60_000;

describeWithPrograms('the single-file executable', { programs: ['docker-registry', 'busybox'] }, () => {
  let folder: TempFolder;
  let wherry: string;

  beforeAll(async () => {
    folder = await TempFolder.create('executable');
    wherry = folder.file('empty', 'wherry');
    await folder.folder('empty');
    await copyFile(await buildExecutable(), wherry);
  });

  afterAll(async () => {
    await folder?.[Symbol.asyncDispose]();
  });

  test('--version prints that of the package, and no warning', async () => {
    const [command, ...words] = alone(wherry);
    const { version } = await readProjectFile<Manifest>('package.json');
    expect(await runCommand(command, [...words, '--version'])).toEqual({
      stdout: `${version}\n`,
      stderr: '',
    });
  });

  test('refuses a wrong configuration with exit code 2', async () => {
    const [command, ...words] = alone(wherry);
    const refused = runCommand(command, [...words, 'edge', '--listen', 'nowhere']);
    const error: unknown = await refused.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CommandError);
    expect(String(error)).toMatch(/code 2\n[^]*--listen/);
  });

  test('runs an edge that is pulled through, alone in its folder, also after a restart', async () => {
    const content = busyboxImage('oci', 'single file');
    await using upstream = await Registry.start({ folder: folder.file('upstream') });
    await upstream.push('library/app:1', content);
    const startedAt = performance.now();
    await using edge = await Edge.start({
      folder: folder.file('edge'),
      upstreams: { 'docker.io': upstream.url },
      launcher: alone(wherry),
    });
    console.log(`ready after ${Math.round(performance.now() - startedAt)} ms`);
    await expectPull(edge.url, 'library/app:1', content);
    await edge.stop();
    await edge.resume();
    await upstream.stop();
    await expectPull(edge.url, 'library/app:1', content);
    expect(await readdir(folder.file('empty'))).toEqual(['wherry']);
  });

  test('takes little memory of its own', async () => {
    await using edge = await Edge.start({
      folder: folder.file('idle'),
      upstreams: { 'docker.io': 'http://127.0.0.1:9' },
      launcher: alone(wherry),
    });
    const status = await readFile(`/proc/${edge.pid}/status`, 'utf8');
    const kilobytes = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
    console.log(`memory: ${kilobytes('VmRSS')} kB, of which private ${kilobytes('RssAnon')} kB`);
    expect(kilobytes('RssAnon')).toBeLessThan(maxPrivateKilobytes);
  });
});
