import { join, resolve } from 'node:path';
import { cloudRegistryOf, type CloudRegistry } from './cloud-registry.ts';
import { readFailure } from './config-io.ts';
import type { CredentialConfig } from './credential-config.ts';
import type { WrittenCredential } from './credential-schema.ts';
import { readSecret, type ReadSecret, type SecretContext } from './read-secret.ts';

interface CloudContext extends SecretContext {
  readonly registryNames: readonly string[];
}

type Cloud = CloudRegistry['type'];
type Key = keyof WrittenCredential;

const awsKeys = [
  'endpoint',
  'profile',
  'accessKeyId',
  'secretAccessKey',
  'secretAccessKeyFile',
  'secretAccessKeyEnv',
  'roleArn',
  'externalId',
  'stsEndpoint',
] as const satisfies readonly Key[];

/** What may stand beside each type. */
const keysOf = {
  ecr: ['region', ...awsKeys],
  'ecr-public': awsKeys,
  google: ['endpoint', 'keyFile'],
  azure: [
    'endpoint',
    'tenantId',
    'clientId',
    'clientSecret',
    'clientSecretFile',
    'clientSecretEnv',
    'federatedTokenFile',
    'managedIdentityClientId',
  ],
} as const satisfies Readonly<Record<Cloud, readonly Key[]>>;

/** The keys that only stand beside a type. */
export const cloudKeys: readonly Key[] = [...new Set(Object.values(keysOf).flat())];

/** ECR Public issues tokens in one region, wherever the caller is (API reference, "Endpoints"). */
const publicRegion = 'us-east-1';

/** Fills in what the host name and the environment tell. Reports and gives `undefined` for what does not go together. */
export function resolveCloudCredential(
  written: WrittenCredential,
  type: Cloud | 'auto',
  context: CloudContext,
): CredentialConfig | undefined {
  const { path, report, registryNames } = context;
  const registry = registryNames.map((name) => cloudRegistryOf(name)).find((found) => found !== undefined);
  const cloud = type === 'auto' ? registry?.type : type;
  if (cloud === undefined) {
    report(
      [...path, 'type'],
      `auto knows no cloud by the name ${registryNames[0]}: write ecr, ecr-public, google or azure`,
    );
    return undefined;
  }
  const allowed: readonly string[] = keysOf[cloud];
  const strangers = Object.entries(written).flatMap(([key, value]) =>
    value === undefined || key === 'type' || allowed.includes(key) ? [] : [key],
  );
  for (const key of strangers) report([...path, key], `has no meaning beside type: ${cloud}`);
  if (strangers.length > 0) return undefined;
  switch (cloud) {
    case 'ecr':
    case 'ecr-public':
      return resolveEcr(written, cloud, { ...context, registry });
    case 'google':
      return resolveGoogle(written, context);
    case 'azure':
      return resolveAzure(written, context);
  }
}

function resolveEcr(
  written: WrittenCredential,
  kind: 'ecr' | 'ecr-public',
  context: CloudContext & { readonly registry: CloudRegistry | undefined },
): CredentialConfig | undefined {
  const { path, report, io, registry } = context;
  const known = registry?.type === 'ecr' ? registry : undefined;
  const environment = io.env['AWS_REGION'] ?? io.env['AWS_DEFAULT_REGION'];
  const region = kind === 'ecr-public' ? publicRegion : (written.region ?? known?.region ?? environment);
  if (region === undefined) {
    report([...path, 'region'], 'is required: the host name does not tell it');
    return undefined;
  }
  const secret = oneSecret(written, 'secretAccessKey', context);
  if (secret === 'wrong') return undefined;
  const { accessKeyId, profile, roleArn, externalId, endpoint, stsEndpoint } = written;
  if ((accessKeyId === undefined) !== (secret === undefined)) {
    report(
      [...path, accessKeyId === undefined ? 'accessKeyId' : 'secretAccessKey'],
      'is required: an access key is accessKeyId and secretAccessKey together',
    );
    return undefined;
  }
  if (accessKeyId !== undefined && profile !== undefined) {
    report([...path, 'profile'], 'has no effect beside accessKeyId: keep one of them');
    return undefined;
  }
  for (const [key, value] of Object.entries({ externalId, stsEndpoint })) {
    if (value !== undefined && roleArn === undefined) report([...path, key], 'has no effect without roleArn');
  }
  return {
    kind,
    region,
    fips: known?.fips ?? false,
    dualStack: known?.dualStack ?? false,
    endpoint,
    stsEndpoint,
    accessKeyId,
    secretAccessKey: secret?.value,
    secretAccessKeyFile: secret?.file,
    profile,
    roleArn,
    externalId,
    profileFiles: profileFiles(context),
  };
}

function resolveGoogle(
  { keyFile, endpoint }: WrittenCredential,
  { io, path, report }: CloudContext,
): CredentialConfig | undefined {
  if (keyFile === undefined) return { kind: 'google', keyFile: undefined, endpoint };
  const file = resolve(io.workingDirectory, keyFile);
  try {
    if (isJsonObject(io.readText(file))) return { kind: 'google', keyFile: file, endpoint };
    report([...path, 'keyFile'], `${keyFile} is not a key in JSON`);
  } catch (error) {
    report([...path, 'keyFile'], `cannot read ${keyFile}: ${readFailure(error)}`);
  }
  return undefined;
}

function resolveAzure(written: WrittenCredential, context: CloudContext): CredentialConfig | undefined {
  const { path, report, io } = context;
  const secret = oneSecret(written, 'clientSecret', context);
  if (secret === 'wrong') return undefined;
  const { managedIdentityClientId, endpoint } = written;
  const isManaged = managedIdentityClientId !== undefined;
  const tokenFile =
    written.federatedTokenFile ??
    (secret === undefined && !isManaged ? io.env['AZURE_FEDERATED_TOKEN_FILE'] : undefined);
  const ways = { clientSecret: secret, federatedTokenFile: tokenFile, managedIdentityClientId };
  const given = Object.entries(ways).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  if (given.length > 1) {
    report(path, `has more than one of ${given.join(', ')}: keep one`);
    return undefined;
  }
  const tenantId = written.tenantId ?? io.env['AZURE_TENANT_ID'];
  const clientId = written.clientId ?? io.env['AZURE_CLIENT_ID'];
  const wanting =
    secret === undefined && tokenFile === undefined ? [] : Object.entries({ tenantId, clientId });
  const missing = wanting.filter(([, value]) => value === undefined);
  for (const [key] of missing) report([...path, key], `is required beside ${given[0]}`);
  if (missing.length > 0) return undefined;
  return {
    kind: 'azure',
    tenantId,
    clientId,
    clientSecret: secret?.value,
    clientSecretFile: secret?.file,
    federatedTokenFile: tokenFile === undefined ? undefined : resolve(io.workingDirectory, tokenFile),
    managedIdentityClientId,
    endpoint,
  };
}

/** The secret in the one form that it may have; `undefined` where it is not written, `wrong` where that was reported. */
function oneSecret(
  written: WrittenCredential,
  name: 'secretAccessKey' | 'clientSecret',
  context: SecretContext,
): ReadSecret | 'wrong' | undefined {
  const forms = [name, `${name}File`, `${name}Env`] as const;
  const [form, ...more] = forms.filter((key) => written[key] !== undefined);
  const value = form === undefined ? undefined : written[form];
  if (form === undefined || value === undefined) return undefined;
  if (more.length > 0) {
    context.report(context.path, `has more than one of ${[form, ...more].join(', ')}: keep one`);
    return 'wrong';
  }
  return readSecret(value, form, context) ?? 'wrong';
}

/** AWS SDKs and Tools reference guide, "Shared config and credentials files". */
function profileFiles({ io }: CloudContext): readonly string[] {
  const home = io.env['HOME'] ?? io.workingDirectory;
  return [
    io.env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(home, '.aws', 'credentials'),
    io.env['AWS_CONFIG_FILE'] ?? join(home, '.aws', 'config'),
  ].map((file) => resolve(io.workingDirectory, file));
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    // What it is instead does not matter, and may be secret.
    return false;
  }
}
