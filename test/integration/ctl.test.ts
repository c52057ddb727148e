import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { image, index } from '../fakes/images.ts';
import { makeTempFolder, type TempFolder } from '../fakes/temp-folder.ts';
import { LocalEdge } from './local-edge.ts';

const launcher = fileURLToPath(new URL('../../bin/wherry', import.meta.url));
const token = 'a-token-of-some-length';

let upstream: FakeRegistry;
let edge: LocalEdge;
let folder: TempFolder;

beforeAll(async () => {
  folder = await makeTempFolder();
  upstream = new FakeRegistry();
  await upstream.start();
  upstream.addImage('library/alpine', image(), 'latest');
  upstream.addIndex('team/multi', index(), 'v1');
  edge = await LocalEdge.start({
    upstreams: { 'docker.io': upstream.origin },
    config: { adminToken: token },
  });
  await writeFile(`${folder.path}/token`, `${token}\n`);
});

afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await upstream.stop();
  await folder.remove();
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function ctl(args: readonly string[], input = ''): Promise<Outcome> {
  return run(['ctl', '--admin', edge.adminUrl, '--token-file', `${folder.path}/token`, ...args], input);
}

async function run(args: readonly string[], input = ''): Promise<Outcome> {
  const child = spawn(launcher, args, { cwd: folder.path });
  child.stdin.end(input);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, stdout, stderr };
}

test('an image is warmed, listed, shown, pinned, unpinned, refreshed and removed', async () => {
  const warmed = await ctl(['cache', 'warm', '-f', '-'], '# the base\nalpine  # of everything\n\n');
  expect(warmed).toMatchObject({ code: 0, stderr: '' });
  expect(warmed.stdout).toMatch(/^ok {6}alpine {2}fetched 3\.\d+ kB\n1 ok, 0 failed, fetched 3\.\d+ kB\n$/);

  const listed = await ctl(['cache', 'ls', '--repository', 'library']);
  expect(listed.stdout).toMatch(/^IMAGE +SIZE {2}STATE +LAST USED +PINNED UNTIL\n/);
  expect(listed.stdout).toMatch(/\ndocker\.io\/library\/alpine:latest +3\.\d+ kB {2}complete {2}\d{4}-/);

  const shown = await ctl(['cache', 'show', 'alpine']);
  expect(shown.stdout).toMatch(/^image: {5}docker\.io\/library\/alpine:latest\n/);
  expect(shown.stdout).toContain('complete');

  const pinned = await ctl(['cache', 'pin', 'alpine', '--for', '1d', '--json']);
  expect(JSON.parse(pinned.stdout)).toMatchObject({
    image: 'docker.io/library/alpine:latest',
    complete: true,
  });
  expect((await ctl(['cache', 'unpin', 'alpine'])).stdout).toBe(
    'docker.io/library/alpine:latest is no longer pinned\n',
  );
  expect((await ctl(['cache', 'refresh', 'alpine'])).stdout).toMatch(
    / {2}sha256:[0-9a-f]{64} {2}unchanged\n$/,
  );
  expect((await ctl(['cache', 'rm', 'alpine'])).stdout).toMatch(
    /^removed 1 tag and 1 manifest, freed 3\.\d+ kB\n$/,
  );
  expect(await ctl(['cache', 'show', 'alpine'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'wherry: docker.io/library/alpine:latest is not in the cache\n',
  });
});

test('one image of a list that fails makes the exit code 1, and each line of --json one event', async () => {
  const { code, stdout } = await ctl(['cache', 'warm', 'team/multi:v1', 'team/none', '--json']);
  expect(code).toBe(1);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string });
  expect(events.at(-1)).toMatchObject({ event: 'report', done: 1, failed: 1 });
  expect(events).toContainEqual(expect.objectContaining({ event: 'failed', image: 'team/none' }));
});

test('upstreams are listed and tested, the log level is set', async () => {
  expect((await ctl(['upstream', 'ls'])).stdout).toMatch(
    /^NAME +STATE +CACHED +PULLS LEFT +URL\ndocker\.io /,
  );
  const tested = await ctl(['upstream', 'test', 'docker.io', '--image', 'alpine']);
  expect(tested).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/passed {2}reach .*\n {2}passed {2}sign in/),
  });
  expect((await ctl(['log-level', 'silent'])).code).toBe(0);
});

describe('what is wrong is said', () => {
  test('no token', async () => {
    expect(await run(['ctl', '--admin', edge.adminUrl, 'upstream', 'ls'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('give it with --token-file'),
    });
  });

  test('no edge', async () => {
    expect(await run(['ctl', '--admin', 'http://127.0.0.1:1', 'cache', 'ls'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is the edge running'),
    });
  });

  test('another listener', async () => {
    const answer = await run(['ctl', '--admin', edge.mirrorUrl, 'cache', 'ls']);
    expect(answer).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('does not answer as the admin'),
    });
  });

  test.each([
    [['cache', 'ls', '--limit', 'many'], '--limit'],
    [['cache', 'pin', 'alpine'], 'say how long'],
    [['cache', 'pin', 'alpine', '--until', 'soon'], '--until'],
    [['cache', 'warm'], 'name images'],
    [['cache', 'warm', '-f', 'missing.txt'], 'cannot read missing.txt'],
    [['log-level', 'loud'], 'Allowed choices are debug'],
    [['cache', 'polish'], 'polish'],
    [['--admin', 'nowhere', 'cache', 'ls'], '--admin'],
    [['--token-file', 'missing', 'cache', 'ls'], 'cannot read missing'],
  ])('bad usage: %j', async (args, expected) => {
    expect(await ctl(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(expected) });
  });
});

test.each([['ctl'], ['ctl', 'cache'], ['ctl', 'cache', 'warm']])(
  '%s %s %s --help teaches',
  async (...words) => {
    const { code, stdout } = await run([...words, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: wherry ctl');
  },
);
