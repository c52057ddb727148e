import { expect, test } from 'vitest';
import { formatEdgeConfig } from './format-edge-config.ts';
import { loadEdgeConfig } from './load-edge-config.ts';
import { memoryConfigIo, type MemoryConfig } from './memory-config-io.ts';
import { ConfigError } from './problems.ts';

const ecrHost = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';
const files = { '/work/key.json': '{"type": "service_account"}', '/work/pw': 'hush\n', '/work/text': 'hush' };

function load(name: string, credential: string, sources: MemoryConfig = {}) {
  const yaml = `upstreams: [{name: ${name}, access: open, credentials: [${credential}]}]`;
  const io = memoryConfigIo({ ...sources, files: { ...files, '/work/edge.yaml': yaml } });
  return loadEdgeConfig({ flags: {}, configFile: 'edge.yaml' }, io);
}

const azureVariables = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_FEDERATED_TOKEN_FILE: '/token' };

test.each<[string, string, { written: string; env?: Readonly<Record<string, string>> }, object]>([
  [
    'the region from the host name',
    ecrHost,
    { written: 'type: auto' },
    { kind: 'ecr', region: 'eu-central-1' },
  ],
  [
    'the region as written first',
    ecrHost,
    { written: 'type: ecr, region: us-east-2', env: { AWS_REGION: 'us-west-1' } },
    { region: 'us-east-2' },
  ],
  [
    'the region from the environment',
    'ecr.test',
    { written: 'type: ecr', env: { AWS_REGION: 'us-west-1' } },
    { region: 'us-west-1' },
  ],
  [
    'the one region of ECR Public',
    'public.ecr.aws',
    { written: 'type: auto' },
    { kind: 'ecr-public', region: 'us-east-1' },
  ],
  [
    'a fixed access key',
    ecrHost,
    { written: 'type: ecr, accessKeyId: AKIA, secretAccessKeyFile: pw' },
    { accessKeyId: 'AKIA', secretAccessKeyFile: '/work/pw' },
  ],
  [
    'where profiles are kept',
    ecrHost,
    { written: 'type: ecr, profile: p', env: { HOME: '/h', AWS_CONFIG_FILE: '/c' } },
    { profileFiles: ['/h/.aws/credentials', '/c'] },
  ],
  [
    'a key file of Google',
    'gcr.io',
    { written: 'type: auto, keyFile: key.json' },
    { kind: 'google', keyFile: '/work/key.json' },
  ],
  [
    'an application of Azure',
    'team.azurecr.io',
    { written: 'type: azure, tenantId: t, clientId: c, clientSecretEnv: PW', env: { PW: 'hush' } },
    { kind: 'azure', tenantId: 't', clientId: 'c', federatedTokenFile: undefined },
  ],
  [
    'a workload identity from the environment',
    'team.azurecr.io',
    { written: 'type: auto', env: azureVariables },
    { kind: 'azure', tenantId: 't', clientId: 'c', federatedTokenFile: '/token' },
  ],
  [
    'a named identity of the machine before the environment',
    'team.azurecr.io',
    { written: 'type: auto, managedIdentityClientId: m', env: azureVariables },
    { managedIdentityClientId: 'm', federatedTokenFile: undefined },
  ],
])('takes %s', (_, name, { written, env = {} }, expected) => {
  const config = load(name, `{${written}}`, { env });
  expect(config.upstreams[0].credentials).toEqual([expect.objectContaining(expected)]);
  expect(formatEdgeConfig(config)).not.toContain('hush');
});

test.each([
  [
    'auto for an unknown host',
    'docker.io',
    '{type: auto}',
    /\.type: auto knows no cloud by the name docker\.io/,
  ],
  ['a type that there is not', 'gcr.io', '{type: gogle}', /\.type: .*did you mean "google"/],
  [
    'a key of another cloud',
    'gcr.io',
    '{type: google, region: us-east-1}',
    /\.region: has no meaning beside type: google/,
  ],
  [
    'a password beside a type',
    ecrHost,
    '{type: ecr, username: a}',
    /\.username: has no meaning beside type: ecr/,
  ],
  ['a cloud key without a type', ecrHost, '{region: us-east-1}', /\.region: needs a type/],
  ['no region', 'ecr.test', '{type: ecr}', /\.region: is required/],
  ['a region that is none', ecrHost, '{type: ecr, region: here}', /\.region: expected a region/],
  ['a region of ECR Public', 'public.ecr.aws', '{type: auto, region: us-east-1}', /\.region: has no meaning/],
  ['a key id alone', ecrHost, '{type: ecr, accessKeyId: a}', /\.secretAccessKey: is required/],
  ['a key without its id', ecrHost, '{type: ecr, secretAccessKey: hush}', /\.accessKeyId: is required/],
  ['an external id without a role', ecrHost, '{type: ecr, externalId: a}', /\.externalId: has no effect/],
  ['a key file that is gone', 'gcr.io', '{type: google, keyFile: gone}', /\.keyFile: cannot read gone/],
  [
    'a key file that is no JSON',
    'gcr.io',
    '{type: google, keyFile: text}',
    /\.keyFile: text is not a key in JSON/,
  ],
  [
    'a secret without a tenant',
    'a.azurecr.io',
    '{type: azure, clientId: c, clientSecret: hush}',
    /\.tenantId: is required/,
  ],
  [
    'two ways at Azure',
    'a.azurecr.io',
    '{type: azure, clientSecret: hush, managedIdentityClientId: m}',
    /more than one of clientSecret, managedIdentityClientId/,
  ],
])('refuses %s', (_, name, credential, expected) => {
  const failure = (): unknown => load(name, credential);
  expect(failure).toThrow(ConfigError);
  expect(failure).toThrow(expected);
  expect(failure).not.toThrow(/hush/);
});
