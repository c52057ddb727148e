import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { makeTempFolder, type TempFolder } from '../fakes/temp-folder.ts';
import { Edge, launcher } from '../programs/edge.ts';
import { freePort } from '../programs/free-port.ts';

let folder: TempFolder;
let registry: FakeRegistry;

beforeEach(async () => {
  folder = await makeTempFolder();
  registry = new FakeRegistry();
  await registry.start();
});

afterEach(async () => {
  await registry.stop();
  await folder.remove();
});

interface Found {
  readonly check: string;
  readonly severity: string;
  readonly message: string;
}

async function doctor(args: readonly string[]): Promise<{ code: number; findings: readonly Found[] }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string }>();
  execFile(launcher, ['doctor', '--json', ...args], { timeout: 60_000 }, (error, stdout) =>
    resolve({ code: error === null ? 0 : Number(error.code), stdout }),
  );
  const { code, stdout } = await promise;
  const { findings } = JSON.parse(stdout) as { findings: readonly Found[] };
  return { code, findings };
}

it('finds nothing broken where an edge could run', async () => {
  const [listen, admin] = [await freePort(), await freePort()];
  const { code, findings } = await doctor([
    '--data',
    join(folder.path, 'data'),
    '--upstream',
    `a.test=${registry.origin}`,
    '--listen',
    `127.0.0.1:${listen}`,
    '--admin-listen',
    `127.0.0.1:${admin}`,
  ]);
  expect(findings.filter(({ severity }) => severity === 'broken')).toEqual([]);
  expect(code).toBe(0);
  for (const check of ['disk', 'data folder', 'data lock', `listen 127.0.0.1:${listen}`, 'upstream a.test'])
    expect(findings).toContainEqual(expect.objectContaining({ check, severity: 'ok' }));
});

it('knows the edge that runs, and fails for an upstream that is away', async () => {
  await using edge = await Edge.start({ folder: folder.path, upstreams: { 'a.test': registry.origin } });
  await registry.stop();
  const { code, findings } = await doctor([...edge.args.slice(1), '--edge', edge.url]);
  expect(code).toBe(1);
  expect(findings).toContainEqual(
    expect.objectContaining({ check: 'data lock', message: expect.stringContaining('in use by process') }),
  );
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: `listen ${edge.host}`,
      severity: 'note',
      message: expect.stringMatching(/^in use by process \d+ .*answers as an edge does$/) as string,
    }),
  );
  expect(findings).toContainEqual(expect.objectContaining({ check: `edge ${edge.url}`, severity: 'ok' }));
  expect(findings).toContainEqual(expect.objectContaining({ check: 'upstream a.test', severity: 'broken' }));
});
