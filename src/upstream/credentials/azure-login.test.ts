import { writeFile } from 'node:fs/promises';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeAzure } from '../../../test/fakes/clouds/fake-azure.ts';
import { FakeRegistry } from '../../../test/fakes/fake-registry.ts';
import { image } from '../../../test/fakes/images.ts';
import { makeTempFolder, type TempFolder } from '../../../test/fakes/temp-folder.ts';
import { upstreamOptions } from '../../../test/fakes/upstream-options.ts';
import { nodeDiskFiles } from '../../base/disk-files.ts';
import { parseReference } from '../../oci/reference.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { createHttpUpstream, type HttpUpstream } from '../http-upstream.ts';
import { configuredCredential } from './configured-credential.ts';
import type { AzureSpec } from './credential-spec.ts';

const signal = new AbortController().signal;
const repository = parseRepositoryName('team/app')!;
const tag = parseReference('v1')!;
const trusted = tls.getCACertificates('default');
let azure: FakeAzure;
let folder: TempFolder;
const cleanUps: (() => Promise<void>)[] = [];

beforeAll(() => {
  for (const name of ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER', 'MSI_ENDPOINT', 'AZURE_FEDERATED_TOKEN_FILE'])
    vi.stubEnv(name, undefined);
});

afterAll(() => {
  vi.unstubAllEnvs();
  tls.setDefaultCACertificates(trusted);
});

beforeEach(async () => {
  azure = new FakeAzure();
  await azure.start();
  folder = await makeTempFolder();
  tls.setDefaultCACertificates([...trusted, azure.certificate.cert]);
  vi.stubEnv('AZURE_POD_IDENTITY_AUTHORITY_HOST', azure.machineOrigin);
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  await azure[Symbol.asyncDispose]();
  await folder.remove();
});

function spec(changes: Partial<AzureSpec> = {}): AzureSpec {
  return {
    kind: 'azure',
    tenantId: azure.tenantId,
    clientId: azure.clientId,
    clientSecret: undefined,
    clientSecretFile: undefined,
    federatedTokenFile: undefined,
    managedIdentityClientId: undefined,
    endpoint: azure.origin,
    ...changes,
  };
}

function secret(text = azure.clientSecret): Partial<AzureSpec> {
  return { clientSecret: { reveal: () => text } };
}

async function setUp(used: AzureSpec): Promise<{ registry: FakeRegistry; upstream: HttpUpstream }> {
  const registry: FakeRegistry = new FakeRegistry({
    auth: { kind: 'bearer', refreshTokens: azure.refreshTokens, privateRepositories: [repository] },
    endpoints: (request) => azure.exchange({ ...request, target: request.path }),
  });
  await registry.start();
  registry.addImage(repository, image(), 'v1');
  const open = configuredCredential(used, { id: 'azure-1', files: nodeDiskFiles });
  const upstream = createHttpUpstream(upstreamOptions(registry.origin, { credentials: [open] }));
  cleanUps.push(
    async () => registry.stop(),
    async () => upstream.close(),
  );
  return { registry, upstream };
}

describe('pulls from a registry', () => {
  test.each<[string, () => Promise<AzureSpec>]>([
    ['with the secret of an application', async () => spec(secret())],
    [
      'with a workload identity',
      async () => {
        await writeFile(`${folder.path}/token`, azure.federatedToken);
        return spec({ federatedTokenFile: `${folder.path}/token` });
      },
    ],
    [
      'with a named identity of the machine',
      async () =>
        spec({ tenantId: undefined, clientId: undefined, managedIdentityClientId: azure.managedClientId }),
    ],
  ])('%s', async (_, used) => {
    const { registry, upstream } = await setUp(await used());
    await upstream.headManifest(repository, tag, signal);
    await upstream.headManifest(repository, tag, signal);
    expect(registry.count('POST', /^\/oauth2\/exchange$/)).toBe(1);
    expect(registry.count('POST', /^\/token$/)).toBe(1);
  });
});

describe('is refused', () => {
  test.each<[string, () => Partial<AzureSpec>]>([
    ['a wrong secret', () => secret('wrong-hush')],
    ['another application', () => ({ ...secret(), clientId: azure.managedClientId })],
  ])('%s', async (_, changes) => {
    const { registry, upstream } = await setUp(spec(changes()));
    const failure = upstream.headManifest(repository, tag, signal);
    await expect(failure).rejects.toMatchObject({ name: 'UpstreamError', kind: 'credential' });
    await expect(failure).rejects.not.toThrow(/hush/);
    expect(registry.count('POST', /./)).toBe(0);
  });

  test('a token that the registry does not know', async () => {
    const { registry, upstream } = await setUp(spec(secret()));
    const exchange = vi
      .spyOn(azure, 'exchange')
      .mockImplementation(({ target }) =>
        target === '/oauth2/exchange' ? { status: 401, body: {} } : undefined,
      );
    await expect(upstream.headManifest(repository, tag, signal)).rejects.toMatchObject({
      kind: 'credential',
    });
    expect(registry.count('POST', /^\/token$/)).toBe(0);
    exchange.mockRestore();
  });
});

/** The library tells these apart from a directory or a machine that does not answer no further than by its words. */
test.each<[string, () => Partial<AzureSpec>]>([
  ['a tenant that there is not', () => ({ ...secret(), tenantId: azure.clientId })],
  ['an identity that the machine has not', () => ({ managedIdentityClientId: azure.clientId })],
])('%s is no verdict on the credential', async (_, changes) => {
  const { upstream } = await setUp(spec(changes()));
  const failure = upstream.headManifest(repository, tag, signal);
  await expect(failure).rejects.toMatchObject({ name: 'UpstreamError', kind: 'unavailable' });
});

test('a wrong secret is tried three times', async () => {
  const { upstream } = await setUp(spec(secret('wrong')));
  for (let time = 0; time < 6; time += 1) {
    await expect(upstream.headManifest(repository, tag, signal)).rejects.toMatchObject({
      kind: 'credential',
    });
  }
  expect(azure.requests).toHaveLength(3);
});

/** Requests as the library makes them, with one part changed: the stand-in must notice, else it proves nothing. */
test.each([
  ['nothing', {}, 200],
  ['the secret', { client_secret: 'other' }, 401],
  ['the application', { client_id: 'other' }, 400],
  ['the scope', { scope: 'https://management.azure.com/.default' }, 400],
  ['the grant', { grant_type: 'password' }, 400],
])('a request of the library with %s changed', async (_, changes, status) => {
  const { upstream } = await setUp(spec(secret()));
  await upstream.headManifest(repository, tag, signal);
  const [request] = azure.requests;
  const form = new URLSearchParams(request!.body);
  for (const [name, value] of Object.entries(changes)) form.set(name, value);
  const answer = await fetch(new URL(request!.target, azure.origin), { method: 'POST', body: form }).catch(
    (error: unknown) => error,
  );
  expect(answer).toMatchObject({ status });
});
