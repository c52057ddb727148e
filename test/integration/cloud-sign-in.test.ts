import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { FakeAws } from '../fakes/clouds/fake-aws.ts';
import { FakeAzure } from '../fakes/clouds/fake-azure.ts';
import { FakeGoogle } from '../fakes/clouds/fake-google.ts';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { image } from '../fakes/images.ts';
import { makeTempFolder, type TempFolder } from '../fakes/temp-folder.ts';
import { Edge } from '../programs/edge.ts';
import { waitUntil } from '../programs/wait-until.ts';

/** An edge as it is installed, in front of registries that want a cloud's sign-in. */
const aws = new FakeAws();
const google = new FakeGoogle();
const azure = new FakeAzure();
const name = 'team/app';
const pulled = image();
let folder: TempFolder;
const opened: AsyncDisposable[] = [];

beforeAll(async () => {
  folder = await makeTempFolder();
  await Promise.all([aws, google, azure].map(async (cloud) => cloud.start()));
  await writeFile(path.join(folder.path, 'azure.pem'), azure.certificate.cert);
});

afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

afterAll(async () => {
  await Promise.all([aws, google, azure].map(async (cloud) => cloud[Symbol.asyncDispose]()));
  await folder.remove();
});

async function startRegistry(options: ConstructorParameters<typeof FakeRegistry>[0]): Promise<FakeRegistry> {
  const registry = new FakeRegistry(options);
  await registry.start();
  opened.push(registry);
  registry.addImage(name, pulled, 'v1');
  return registry;
}

async function startEdge(url: string, credential: object, id: string): Promise<Edge> {
  const upstream = { name: 'registry.test', url, access: 'open', credentials: [credential] };
  const edge = await Edge.start({
    folder: path.join(folder.path, id),
    config: { upstreams: [upstream], log: { access: 'off' } },
    env: { NODE_EXTRA_CA_CERTS: path.join(folder.path, 'azure.pem') },
  });
  opened.push(edge);
  return edge;
}

async function statusOf(edge: Edge, at: string): Promise<number> {
  const response = await fetch(`${edge.url}/v2/${name}/${at}`);
  await response.arrayBuffer();
  return response.status;
}

async function expectPull(edge: Edge): Promise<void> {
  const blobs = pulled.blobs.map(({ digest }) => `blobs/${digest}`);
  for (const at of ['manifests/v1', ...blobs]) expect([at, await statusOf(edge, at)]).toEqual([at, 200]);
}

const ecrKey = { type: 'ecr', region: aws.region, accessKeyId: aws.key.id };

test('pulls from ECR', async () => {
  const registry = await startRegistry({ auth: { kind: 'basic', users: { AWS: aws.password } } });
  const credential = { ...ecrKey, endpoint: aws.origin, secretAccessKey: aws.key.secret };
  const edge = await startEdge(registry.origin, credential, 'ecr');
  await expectPull(edge);
  expect(aws.requests).toHaveLength(1);
  expect(edge.output).not.toContain('hush');
});

test('pulls from Google Artifact Registry', async () => {
  const keyFile = path.join(folder.path, 'key.json');
  await writeFile(keyFile, google.keyFile());
  const users = { oauth2accesstoken: 'ya29.hush-1' };
  const registry = await startRegistry({ auth: { kind: 'bearer', users, privateRepositories: [name] } });
  await expectPull(
    await startEdge(registry.origin, { type: 'google', keyFile, endpoint: google.origin }, 'google'),
  );
});

test('pulls from Azure Container Registry', async () => {
  const registry = await startRegistry({
    auth: { kind: 'bearer', refreshTokens: azure.refreshTokens, privateRepositories: [name] },
    endpoints: (request) => azure.exchange({ ...request, target: request.path }),
  });
  const { tenantId, clientId, clientSecret, origin: endpoint } = azure;
  const credential = { type: 'azure', tenantId, clientId, clientSecret, endpoint };
  await expectPull(await startEdge(registry.origin, credential, 'azure'));
});

test('a secret that was corrected in its file works within ten seconds, without a restart', async () => {
  const secretAccessKeyFile = path.join(folder.path, 'aws-secret');
  await writeFile(secretAccessKeyFile, 'wrong');
  const registry = await startRegistry({ auth: { kind: 'basic', users: { AWS: aws.password } } });
  const credential = { ...ecrKey, endpoint: aws.origin, secretAccessKeyFile };
  const edge = await startEdge(registry.origin, credential, 'corrected');
  const before = aws.requests.length;
  for (let time = 0; time < 6; time += 1) expect(await statusOf(edge, 'manifests/v1')).not.toBe(200);
  expect(aws.requests.length - before).toBeLessThanOrEqual(3);
  await writeFile(secretAccessKeyFile, aws.key.secret);
  await waitUntil(async () => ((await statusOf(edge, 'manifests/v1')) === 200 ? true : undefined), {
    what: 'a pull with the corrected secret',
    timeoutMs: 10_000,
  });
});
