import { chmod, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FakeAuth, FakeBearerAuth } from '../../../test/fakes/fake-auth.ts';
import { FakeAws } from '../../../test/fakes/clouds/fake-aws.ts';
import { FakeRegistry } from '../../../test/fakes/fake-registry.ts';
import { image } from '../../../test/fakes/images.ts';
import { makeTempFolder, type TempFolder } from '../../../test/fakes/temp-folder.ts';
import { upstreamOptions } from '../../../test/fakes/upstream-options.ts';
import { nodeDiskFiles } from '../../base/disk-files.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { parseReference } from '../../oci/reference.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { createHttpUpstream, type HttpUpstream } from '../http-upstream.ts';
import { configuredCredential } from './configured-credential.ts';
import type { CredentialSpec, EcrSpec } from './credential-spec.ts';

/** What each registry is known to ask for, and what it must be asked in return. */
const signal = new AbortController().signal;
const repository = parseRepositoryName('team/app')!;
const tag = parseReference('v1')!;
const secret = 'hush';
let aws: FakeAws;
let folder: TempFolder;
let clock: ManualClock;
const cleanUps: (() => Promise<void>)[] = [];

beforeEach(async () => {
  aws = new FakeAws('us-east-1');
  await aws.start();
  folder = await makeTempFolder();
  clock = new ManualClock(Date.now());
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  await aws[Symbol.asyncDispose]();
  await folder.remove();
});

async function setUp(
  auth: FakeAuth,
  spec: CredentialSpec,
): Promise<{ registry: FakeRegistry; upstream: HttpUpstream }> {
  const registry = new FakeRegistry({ auth });
  await registry.start();
  registry.addImage(repository, image(), 'v1');
  const open = configuredCredential(spec, { id: 'mine', files: nodeDiskFiles });
  const upstream = createHttpUpstream(upstreamOptions(registry.origin, { credentials: [open], clock }));
  cleanUps.push(
    async () => registry.stop(),
    async () => upstream.close(),
  );
  return { registry, upstream };
}

function password(username: string, file?: string): CredentialSpec {
  return { kind: 'password', username, password: { reveal: () => secret }, passwordFile: file };
}

function ecr(kind: EcrSpec['kind'], key = aws.key.secret): EcrSpec {
  return {
    kind,
    region: 'us-east-1',
    fips: false,
    dualStack: false,
    endpoint: aws.origin,
    stsEndpoint: undefined,
    accessKeyId: aws.key.id,
    secretAccessKey: { reveal: () => key },
    secretAccessKeyFile: undefined,
    profile: undefined,
    roleArn: undefined,
    externalId: undefined,
    profileFiles: [],
  };
}

const pull = async (upstream: HttpUpstream): Promise<unknown> =>
  upstream.headManifest(repository, tag, signal);

test.each<[string, string, Partial<FakeBearerAuth>]>([
  ['GitHub', 'octocat', {}],
  ['Quay', 'team+robot', {}],
  ['Quay with an application’s token', '$oauthtoken', {}],
  ['GitLab', 'gitlab-ci-token', {}],
  ['Harbor', 'robot$project+edge', {}],
  ['Google with a key', '_json_key', { accessTokenOnly: true }],
  ['Azure with an application', '22222222-2222-2222-2222-222222222222', { accessTokenOnly: true }],
])('%s: GET with Basic, the scope as it stands', async (_, username, changes) => {
  const auth = { kind: 'bearer', users: { [username]: secret }, privateRepositories: [repository] } as const;
  const { registry, upstream } = await setUp({ ...auth, ...changes }, password(username));
  await pull(upstream);
  const asked = registry.requests.filter(({ path }) => path === '/token');
  expect(asked.map(({ method }) => method)).toEqual(['GET']);
  const query = new URLSearchParams(asked[0]!.query);
  expect(Object.fromEntries(query)).toMatchObject({
    service: 'fake',
    scope: `repository:${repository}:pull`,
    account: username,
  });
});

test('ECR: the token of AWS is a password for Basic, asked for once', async () => {
  const { registry, upstream } = await setUp({ kind: 'basic', users: { AWS: aws.password } }, ecr('ecr'));
  for (let time = 0; time < 3; time += 1) await pull(upstream);
  expect(aws.requests).toHaveLength(1);
  expect(registry.count('GET', /token/)).toBe(0);
});

test('ECR Public: the scope is `aws` and nothing else', async () => {
  const auth = { kind: 'bearer', users: { AWS: aws.password }, scope: 'aws' } as const;
  const { registry, upstream } = await setUp(auth, ecr('ecr-public'));
  await pull(upstream);
  const [asked] = registry.requests.filter(({ path }) => path === '/token');
  expect(new URLSearchParams(asked!.query).getAll('scope')).toEqual(['aws']);
});

test('ECR: a password that was revoked before its time is replaced', async () => {
  const { registry, upstream } = await setUp({ kind: 'basic', users: { AWS: aws.password } }, ecr('ecr'));
  await pull(upstream);
  await clock.advance(3_600_000);
  aws.password = 'another-hush';
  registry.auth = { kind: 'basic', users: { AWS: aws.password } };
  await expect(pull(upstream)).rejects.toMatchObject({ kind: 'credential' });
  await pull(upstream);
  expect(aws.requests).toHaveLength(2);
});

test('ECR: a wrong key is tried three times', async () => {
  const { upstream } = await setUp({ kind: 'basic', users: {} }, ecr('ecr', 'wrong'));
  for (let time = 0; time < 6; time += 1)
    await expect(pull(upstream)).rejects.toMatchObject({ kind: 'credential' });
  expect(aws.requests).toHaveLength(3);
});

test('a password that was corrected in its file works within ten seconds', async () => {
  const file = `${folder.path}/password`;
  await writeFile(file, 'wrong');
  const auth = { kind: 'bearer', users: { me: secret }, privateRepositories: [repository] } as const;
  const { registry, upstream } = await setUp(auth, password('me', file));
  for (let time = 0; time < 6; time += 1)
    await expect(pull(upstream)).rejects.toMatchObject({ kind: 'credential' });
  expect(registry.count('GET', /^\/token$/)).toBe(3);
  await writeFile(file, `${secret}\n`);
  await clock.advance(1_000);
  await pull(upstream);
});

test('a password that was corrected behind a credential program works within ten seconds', async () => {
  const answer = async (text: string): Promise<void> =>
    writeFile(`${folder.path}/answer`, JSON.stringify({ Username: 'me', Secret: text }));
  const program = `${folder.path}/docker-credential-shapes`;
  await writeFile(program, `#!/bin/sh\ncat ${folder.path}/answer\n`);
  await chmod(program, 0o755);
  vi.stubEnv('PATH', `${folder.path}:${process.env['PATH']}`);
  cleanUps.push(async () => void vi.unstubAllEnvs());
  const dockerConfig = `${folder.path}/config.json`;
  await writeFile(dockerConfig, '{}');
  await answer('wrong');
  const helper = { name: 'shapes', server: 'registry.test' };
  const auth = { kind: 'bearer', users: { me: secret }, privateRepositories: [repository] } as const;
  const spec: CredentialSpec = {
    kind: 'docker-config',
    dockerConfig,
    find: () => ({ kind: 'helper', helper }),
  };
  const { registry, upstream } = await setUp(auth, spec);
  for (let time = 0; time < 6; time += 1)
    await expect(pull(upstream)).rejects.toMatchObject({ kind: 'credential' });
  expect(registry.count('GET', /^\/token$/)).toBe(3);
  await answer(secret);
  await clock.advance(5_000);
  await pull(upstream);
});
