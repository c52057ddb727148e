import { describe, expect, test } from 'vitest';
import { MemoryRegistryClient } from '../../upstream/memory-registry-client.ts';
import type { RateLimit } from '../../upstream/rate-limit.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../upstream/upstream-error.ts';
import { checkClients } from './client-checks.ts';
import { checkDisk } from './disk-checks.ts';
import { formatFindings, isBroken, type Finding } from './finding.ts';
import type { Machine } from './machine.ts';
import { memoryMachine, type MemoryMachine } from './memory-machine.ts';
import { checkPorts } from './port-checks.ts';
import { checkUpstream } from './upstream-checks.ts';

function failing(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`${code}: it failed`), { code }));
}

/** Severities and messages; every bad one has a remedy. */
function seen(findings: readonly Finding[]): readonly string[] {
  for (const { severity, remedy } of findings) if (severity !== 'ok') expect(remedy).toBeDefined();
  return findings.map(({ check, severity, message }) => `${severity} ${check}: ${message}`);
}

const space = { freeBytes: 50e9, totalBytes: 100e9, freeInodes: 1e6, totalInodes: 2e6 };

describe('the disk', () => {
  const check = async (special: MemoryMachine) =>
    seen(await checkDisk(memoryMachine(special), { data: '/data', reserveBytes: 1e9 }));

  test('all is well', async () => {
    expect(await check({})).toEqual([
      'ok disk: 50.0 GB of 100.0 GB free for /data',
      'ok data folder: /data takes writes, syncs and renames',
      'ok data lock: nobody uses /data',
    ]);
  });

  test.each<[string, MemoryMachine, string]>([
    ['too full', { disk: async () => ({ ...space, freeBytes: 0.5e9 }) }, 'warning disk: 0.5 GB of'],
    ['few inodes', { disk: async () => ({ ...space, freeInodes: 12 }) }, 'warning disk: 12 inodes left'],
    ['no inode', { disk: async () => ({ ...space, freeInodes: 0 }) }, 'broken disk: 0 inodes left'],
    ['away', { disk: failing('EIO') }, 'broken disk: /data: EIO'],
    [
      'not to be written',
      { tryWriting: failing('EROFS') },
      'broken data folder: /data cannot be written: EROFS',
    ],
    ['held', { holder: async () => 'process 7 on host a' }, 'note data lock: in use by process 7 on host a'],
    ['without locks', { holder: failing('ENOLCK') }, 'broken data lock: /data cannot be locked: ENOLCK'],
  ])('%s', async (_, special, message) => {
    expect(await check(special)).toContainEqual(expect.stringContaining(message));
  });

  test('a file system that counts no inodes has enough', async () => {
    const found = await check({ disk: async () => ({ ...space, freeInodes: 0, totalInodes: 0 }) });
    expect(found[0]).toContain('ok disk');
  });
});

describe('a port', () => {
  const check = async (special: MemoryMachine, port = 5000) =>
    seen(await checkPorts(memoryMachine(special), [{ key: 'listen', host: '0.0.0.0', port }]));
  const taken = { tryListening: failing('EADDRINUSE') };
  const nobody = { ask: failing('ECONNRESET') };

  test.each<[string, MemoryMachine, string]>([
    ['free', {}, 'ok listen 0.0.0.0:5000: free'],
    [
      'an edge has it',
      { ...taken, listenerOf: async () => 'process 7 (wherry)' },
      'note listen 0.0.0.0:5000: in use by process 7 (wherry), which answers as an edge does',
    ],
    [
      'another has it',
      { ...taken, ...nobody, listenerOf: async () => 'process 8 (x)' },
      'broken listen 0.0.0.0:5000: in use by process 8 (x)',
    ],
    [
      'nobody knows who has it',
      { ...taken, ...nobody },
      'broken listen 0.0.0.0:5000: in use by another program (to see which: sudo ss -ltnp)',
    ],
    [
      'not for this user',
      { tryListening: failing('EACCES') },
      'broken listen 0.0.0.0:5000: EACCES: it failed',
    ],
  ])('%s', async (_, special, message) => expect(await check(special)).toEqual([message]));

  test('any free one is not looked at', async () => expect(await check(taken, 0)).toEqual([]));
});

describe('an upstream', () => {
  interface Given {
    readonly special?: MemoryMachine;
    readonly fails?: UpstreamErrorKind;
    readonly remaining?: number;
  }

  async function check({ special = {}, fails, remaining }: Given): Promise<readonly string[]> {
    const limit: RateLimit = { limit: 100, remaining: remaining ?? 0, windowSeconds: 1, source: undefined };
    const client = Object.assign(new MemoryRegistryClient(), {
      headManifest: () =>
        fails === undefined ? Promise.resolve({}) : Promise.reject(new UpstreamError(fails, 'it failed')),
      rateLimits: () => new Map(remaining === undefined ? [] : [['edge', limit]]),
    });
    const upstream = { name: 'a.test', url: 'https://a.test', tls: {}, hasCredential: true, client };
    return seen(await checkUpstream(memoryMachine(special), upstream));
  }

  const fine = 'ok upstream a.test: answers, and nothing is wrong with the credential';

  test.each<[string, Given, readonly string[]]>([
    ['answers', {}, [fine]],
    ['has no such image', { fails: 'absent' }, [fine]],
    ['does not let it be read', { fails: 'denied' }, [fine]],
    [
      'rejects the credential',
      { fails: 'credential' },
      ['broken upstream a.test: rejects the credential: it failed'],
    ],
    ['throttles', { fails: 'throttled' }, ['warning upstream a.test: throttles: it failed']],
    ['fails', { fails: 'unavailable' }, ['broken upstream a.test: it failed']],
    ['grants many pulls', { remaining: 76 }, [fine, 'ok upstream a.test: edge has 76 of 100 pulls left']],
    ['grants few pulls', { remaining: 3 }, [fine, 'warning upstream a.test: edge has 3 of 100 pulls left']],
    [
      'has no address',
      { special: { resolve: failing('ENOTFOUND') } },
      ['broken upstream a.test: a.test has no address: ENOTFOUND: it failed'],
    ],
    [
      'has a strange certificate',
      { special: { ask: failing('SELF_SIGNED_CERT_IN_CHAIN') } },
      ['broken upstream a.test: cannot be reached: SELF_SIGNED_CERT_IN_CHAIN: it failed'],
    ],
    [
      'the clock is a minute ahead',
      { special: { nowMs: () => 60_000 } },
      [
        'warning clock against upstream a.test: this machine is 60 s ahead: tokens and certificates may be refused',
        fine,
      ],
    ],
    [
      'the clock is an hour behind',
      { special: { nowMs: () => -3_600_000 } },
      [
        'broken clock against upstream a.test: this machine is 3600 s behind: tokens and certificates may be refused',
        fine,
      ],
    ],
  ])('%s', async (_, given, messages) => expect(await check(given)).toEqual(messages));
});

describe('clients', () => {
  const options = { hosts: ['10.0.0.5:5000'], url: 'http://10.0.0.5:5000', expected: true };
  const check = async (machine: Machine, expected = true) =>
    seen(await checkClients(machine, { ...options, expected }));

  test.each([
    ['Docker', '/etc/docker/daemon.json', '{"registry-mirrors":["http://10.0.0.5:5000"]}'],
    ['containerd', '/etc/containerd/certs.d/docker.io/hosts.toml', '[host."http://10.0.0.5:5000"]'],
    [
      'Podman, Buildah, Skopeo, CRI-O',
      '/etc/containers/registries.conf.d/50-wherry.conf',
      'location = "10.0.0.5:5000/docker.io"',
    ],
    ['BuildKit', '/etc/buildkit/buildkitd.toml', 'mirrors = ["10.0.0.5:5000"]'],
  ])('%s names the edge', async (name, path, text) => {
    const machine = memoryMachine({ files: { [path]: text } });
    expect(await check(machine)).toEqual([`ok client ${name}: ${path} names the edge`]);
  });

  test.each([
    ['another address', '{"registry-mirrors":["http://110.0.0.5:5000"]}'],
    ['another port', '{"registry-mirrors":["http://10.0.0.5:50001"]}'],
    ['nothing', '{}'],
  ])('Docker names %s', async (_, text) => {
    const machine = memoryMachine({ files: { '/etc/docker/daemon.json': text } });
    expect(await check(machine)).toEqual(['warning client Docker: does not pull through this edge']);
    expect(await check(machine, false)).toEqual(['note client Docker: does not pull through this edge']);
  });

  test('a line that is commented out does not count', async () => {
    const files = { '/etc/containers/registries.conf': '# location = "10.0.0.5:5000/docker.io"' };
    expect((await check(memoryMachine({ files })))[0]).toContain('does not pull through this edge');
  });

  test('a daemon.json that is none is told', async () => {
    const machine = memoryMachine({ files: { '/etc/docker/daemon.json': '{' } });
    expect((await check(machine))[0]).toContain('warning client Docker: /etc/docker/daemon.json: ');
  });

  test('what this user may not read is told', async () => {
    const found = await check(memoryMachine({ list: failing('EACCES') }));
    expect(found[0]).toBe('note client Docker: /etc/docker: EACCES: it failed');
  });

  test('a machine without clients', async () => {
    expect(await check(memoryMachine())).toEqual(['note clients: none is configured on this machine']);
  });
});

test('findings as text: each with its remedy, and a count', () => {
  const findings: Finding[] = [
    { check: 'disk', severity: 'ok', message: 'fine' },
    { check: 'listen', severity: 'broken', message: 'taken', remedy: 'take another' },
  ];
  expect(formatFindings(findings)).toBe(
    'ok      disk: fine\nBROKEN  listen: taken\n          -> take another\n\n1 broken, 0 to look at\n',
  );
  expect([isBroken(findings), isBroken(findings.slice(0, 1))]).toEqual([true, false]);
});
