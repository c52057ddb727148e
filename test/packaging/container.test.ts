import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Dockerd } from '../programs/dockerd.ts';
import { freePort } from '../programs/free-port.ts';
import type { ImageContent } from '../programs/image-content.ts';
import { busyboxImage } from '../programs/images.ts';
import { Registry } from '../programs/registry.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { TempFolder } from '../programs/temp-folder.ts';
import { waitUntil } from '../programs/wait-until.ts';
import { importContainerBase } from './container-base.ts';
import { buildExecutable } from './executable.ts';
import { expectPull } from './expect-pull.ts';
import { projectRoot } from './project.ts';

const programs = [
  'docker',
  'dockerd',
  'containerd',
  'runc',
  'unshare',
  'docker-registry',
  'busybox',
] as const;
const user = 10_001;

/** As in deploy/compose.yaml. */
const restrictions = [
  '--read-only',
  '--tmpfs=/tmp',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges:true',
];

interface Compose {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describeWithPrograms('the container image', { programs, root: true }, () => {
  const content: ImageContent = busyboxImage('oci', 'container');
  let folder: TempFolder;
  let resources: AsyncDisposableStack;
  let engine: Dockerd;
  let upstream: Registry;
  let url: string;

  beforeAll(async () => {
    resources = new AsyncDisposableStack();
    folder = resources.use(await TempFolder.create('container'));
    upstream = resources.use(await Registry.start({ folder: folder.file('upstream') }));
    await upstream.push('library/app:1', content);
    engine = resources.use(await Dockerd.start({ folder: await folder.folder('docker') }));
    const program = await buildExecutable();
    await importContainerBase(engine, { name: 'base', archive: folder.file('base.tar'), program });
    const dockerfile = path.join(projectRoot, 'deploy/Dockerfile');
    const context = path.dirname(program);
    await engine.docker(
      'build',
      '--file',
      dockerfile,
      '--build-arg',
      'BASE=base',
      '--tag',
      'wherry',
      context,
    );
    const [port, adminPort] = [await freePort(), await freePort()];
    url = `http://127.0.0.1:${port}`;
    const environment = {
      WHERRY_LISTEN: `127.0.0.1:${port}`,
      WHERRY_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      WHERRY_UPSTREAMS: `docker.io=${upstream.url}`,
    };
    const variables = Object.entries(environment).map(([name, value]) => `--env=${name}=${value}`);
    const container = ['--name=edge', '--network=host', '--volume=cache:/data', '--health-interval=1s'];
    await engine.docker('run', '--detach', ...container, ...restrictions, ...variables, 'wherry');
  });

  afterAll(async () => {
    await resources?.disposeAsync();
  });

  const inspect = (format: string): Promise<string> => engine.docker('inspect', '--format', format, 'edge');
  const healthy = (): Promise<true> =>
    waitUntil(async () => ((await inspect('{{.State.Health.Status}}')) === 'healthy' ? true : undefined), {
      what: 'a healthy container',
      timeoutMs: 30_000,
    });

  test('becomes healthy by its own health check', async () => {
    await healthy();
    expect(await engine.docker('exec', 'edge', '/usr/bin/wherry', 'health')).toBe('ready');
  });

  test('is pulled through, on a read-only root and without capabilities', async () => {
    await expectPull(url, 'library/app:1', content);
  });

  test('runs as a user without rights, who owns the data', async () => {
    expect(await inspect('{{.Config.User}}')).toBe(`${user}:${user}`);
    const volume = await engine.docker('volume', 'inspect', '--format', '{{.Mountpoint}}', 'cache');
    expect((await stat(path.join(volume, 'FORMAT'))).uid).toBe(user);
  });

  test('ends in good order when it is stopped, and serves its data when it is started again', async () => {
    await engine.docker('stop', '--time', '30', 'edge');
    expect(await inspect('{{.State.ExitCode}}')).toBe('0');
    await upstream.stop();
    await engine.docker('start', 'edge');
    await healthy();
    await expectPull(url, 'library/app:1', content);
  });
});

test('compose.yaml gives the container no more rights than the above', async () => {
  const text = await readFile(path.join(projectRoot, 'deploy/compose.yaml'), 'utf8');
  const { services } = parse(text) as Compose;
  expect(services['edge']).toMatchObject({
    read_only: true,
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    volumes: ['cache:/data'],
  });
});
