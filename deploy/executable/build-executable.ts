import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'postject';
import { rolldown } from 'rolldown';

/**
 * Makes `build/executable/wherry`, one file that needs neither Node nor npm where it runs: the program bundled to a single
 * script, put into a copy of the Node that runs this (nodejs.org/api/single-executable-applications.html).
 */

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'build/executable');
const intermediate = join(root, 'build/executable-parts');

/** Where Node looks for the script in its own file; the fuse is the mark that says there is one (Node's documentation). */
const resourceName = 'NODE_SEA_BLOB';
const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * The first as in bin/wherry; the second since small machines are what this is for: 9 MB less, as deploy/README.md shows.
 * Compiling needs the same flags as running does, or what was compiled is refused.
 */
const v8Flags = ['--max-semi-space-size=4', '--optimize-for-size'];

/** Has no import left, dynamic ones included, save those of Node's own modules. */
async function bundle(file: string): Promise<void> {
  await using build = await rolldown({
    input: join(root, 'src/cli/main.ts'),
    platform: 'node',
    onLog: (level, { message }) => {
      if (level === 'warn') throw new Error(message);
    },
    // Asked for only where the program lies in files: src/cli/read-version.ts.
    transform: { define: { 'import.meta.dirname': '__dirname' } },
  });
  const { output } = await build.generate({
    format: 'cjs',
    codeSplitting: false,
    minify: true,
    comments: { legal: true },
  });
  const [chunk, ...others] = output;
  assert.equal(others.length, 0, 'the bundle is one file');
  await writeFile(file, withoutWideCharacters(chunk.code));
}

/** V8 holds the source of a running program in memory: two bytes for each character when one is outside of Latin-1. */
function withoutWideCharacters(code: string): string {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The script as Node wants it embedded, compiled by the same Node that will run it. */
async function makeBlob(script: string): Promise<Buffer> {
  const output = join(intermediate, 'wherry.blob');
  const config = join(intermediate, 'sea-config.json');
  const settings = {
    main: script,
    output,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    // The first as in bin/wherry.
    execArgv: ['--disable-warning=ExperimentalWarning', ...v8Flags],
    assets: { 'package.json': join(root, 'package.json') },
  };
  await writeFile(config, JSON.stringify(settings));
  await promisify(execFile)(process.execPath, [...v8Flags, '--experimental-sea-config', config]);
  return readFile(output);
}

/** An executable built on another Node than the tests ran on would be another program. */
async function checkNode(): Promise<void> {
  const text = await readFile(join(root, 'package.json'), 'utf8');
  const { optionalDependencies }: { optionalDependencies: Record<string, string> } = JSON.parse(text);
  const pinned = optionalDependencies[`node-${process.platform}-${process.arch}`];
  assert.equal(process.versions.node, pinned, 'runs on the pinned Node: use `npm run build:executable`');
}

await checkNode();
await Promise.all([folder, intermediate].map((path) => rm(path, { recursive: true, force: true })));
// The container image takes its data folder from here, since nothing in it could make one.
await Promise.all([
  mkdir(join(folder, 'data'), { recursive: true }),
  mkdir(intermediate, { recursive: true }),
]);
const script = join(intermediate, 'wherry.cjs');
await bundle(script);
const blob = await makeBlob(script);
const executable = join(folder, 'wherry');
await copyFile(process.execPath, executable);
await chmod(executable, 0o755);
await inject(executable, resourceName, blob, { sentinelFuse });
const { size } = await stat(executable);
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
process.stdout.write(`${executable}: ${mebibytes(size)}, of which the program ${mebibytes(blob.length)}\n`);
