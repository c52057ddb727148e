import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const launcher = fileURLToPath(new URL('../../bin/wherry', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wherry-cli-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function wherry(args: readonly string[], env: Readonly<Record<string, string>> = {}): Outcome {
  const { PATH, HOME } = process.env;
  const options = { cwd: folder, env: { PATH, HOME, ...env }, encoding: 'utf8', timeout: 15_000 } as const;
  const { status, stdout, stderr } = spawnSync(launcher, args, options);
  return { code: status, stdout, stderr };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('--help teaches: commands, first steps, exit codes; and names no command that is not there', () => {
  const { code, stdout, stderr } = wherry(['--help']);
  expect([code, stderr]).toEqual([0, '']);
  for (const word of [
    'up',
    'edge',
    'client-config',
    'check-config',
    'ctl',
    'doctor',
    'health',
    'First steps',
    'Exit codes',
  ]) {
    expect(stdout).toContain(word);
  }
  expect(stdout).not.toMatch(/^ +(hub|worker)\b/m);
});

test.each(['edge', 'up', 'check-config'])(
  '%s --help has an example and says where configuration comes from',
  (command) => {
    const { code, stdout } = wherry([command, '--help']);
    expect(code).toBe(0);
    for (const text of ['Example', '--upstream <name=url>', 'WHERRY_UPSTREAMS', 'YAML file', 'Next: ']) {
      expect(stdout).toContain(text);
    }
  },
);

test('--version prints the one in package.json', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(wherry(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('bad usage ends with 2 and says what to do', () => {
  test.each([
    ['a slip', ['egde'], /unknown command 'egde'\n\(Did you mean edge\?\)\nSee wherry --help/],
    ['a command of a later version', ['hub'], /unknown command 'hub'[^]*"hub" is not part of this version/],
    ['no command', [], /Usage: wherry/],
    ['an unknown flag', ['edge', '--lisen', 'x'], /unknown option '--lisen'\n\(Did you mean --listen\?\)/],
    [
      'a client that nobody knows',
      ['client-config', 'rkt', '--edge', 'http://a'],
      /docker, containerd, podman, crio, buildkit/,
    ],
    ['no edge', ['client-config', 'docker'], /--edge <url>' not specified/],
    [
      'an edge with a password',
      ['client-config', 'docker', '--edge', 'http://me:hush@a'],
      /got "http:\/\/a"/,
    ],
    [
      'a registry that is a path',
      ['client-config', 'containerd', '--edge', 'http://a', '--upstream', '../x'],
      /--upstream: expected a registry host/,
    ],
  ])('%s', (_, args, expected) => {
    const { code, stdout, stderr } = wherry(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toContain('hush');
  });
});

test.each(['check-config', 'edge', 'up'])(
  '%s reports all problems of the configuration at once and ends with 2',
  (command) => {
    const path = file('bad.yaml', 'listn: a:1\nupstreams:\n  - name: ghcr.io\n    acces: open\n');
    const { code, stdout, stderr } = wherry([command, '--config', path, '--max-bytes', '10G'], {
      WHERRY_LOG_LEVEL: 'loud',
    });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('4 problems');
    for (const line of [
      'bad.yaml:1: listn: unknown key; did you mean "listen"?',
      'bad.yaml:4: upstreams[0].acces: unknown key; did you mean "access"?',
      'WHERRY_LOG_LEVEL: log.level: expected one of debug, info, warn, error, silent, got "loud"',
      '--max-bytes: cache.maxBytes: expected a size',
    ]) {
      expect(stderr).toContain(line);
    }
  },
);

test('check-config prints what would run, with secrets masked', () => {
  const path = file(
    'good.yaml',
    'upstreams: [{name: ghcr.io, access: open, credentials: [{username: me, passwordEnv: TOKEN}]}]\n',
  );
  const { code, stdout, stderr } = wherry(['check-config', '-c', path, '--listen', '127.0.0.1:7000'], {
    TOKEN: 'hush',
  });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('listen: 127.0.0.1:7000\n');
  expect(stdout).toContain('username: me');
  expect(stdout).toMatch(/password: "?\*{8}/);
  expect(stdout).not.toContain('hush');
});

test('client-config prints the file with its path', () => {
  const { code, stdout } = wherry([
    'client-config',
    'podman',
    '--edge',
    'https://edge.example.com',
    '--upstream',
    'quay.io',
  ]);
  expect(code).toBe(0);
  expect(stdout).toContain('# /etc/containers/registries.conf.d/50-wherry.conf\n');
  expect(stdout).toContain('location = "edge.example.com/quay.io"');
  expect(stdout).not.toContain('docker.io');
});
