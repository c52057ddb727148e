import type { z } from 'zod';
import { path, secret, text } from './field-kinds.ts';
import { choice, field, section } from './field.ts';
import { registryUrl } from './registry-fields.ts';

const variableName = 'the name of an environment variable';
const regionName = /^[a-z]{2,}(?:-[a-z0-9]+)+-\d$/;

/** The three forms of one secret, by the name of its key. */
function secretForms<const Key extends string>(key: Key, what: string) {
  return {
    [key]: secret(`${what}.`).optional(),
    [`${key}File`]: path(
      `File that holds it; one line end after it is dropped, and it is read again when it changes.`,
    ).optional(),
    [`${key}Env`]: text(`Environment variable that holds it.`, variableName).optional(),
  } as {
    readonly [Name in Key]: z.ZodOptional<ReturnType<typeof secret>>;
  } & { readonly [Name in `${Key}File` | `${Key}Env`]: z.ZodOptional<ReturnType<typeof text>> };
}

export const credentialSchema = section(
  'An account at the upstream: a user name and one form of password, an identity token, a Docker configuration, or, by its `type`, an account at the cloud that the upstream belongs to.',
  {
    type: choice(
      'Signs in by way of a cloud: Amazon ECR, ECR Public, Google Artifact Registry, Azure Container Registry. `auto` tells from the upstream’s host name. Without further keys the cloud’s library looks where it always does: environment, files, workload identity, the machine itself.',
      ['auto', 'ecr', 'ecr-public', 'google', 'azure'],
    ).optional(),
    username: text('User name.', 'a user name').optional(),
    ...secretForms('password', 'Password or access token'),
    ...secretForms('identityToken', 'Refresh token, as `docker login` stores it for some registries'),
    dockerConfig: path(
      'A `config.json` of Docker; its entry for this upstream is used, be it a credential helper.',
    ).optional(),
    endpoint: registryUrl(
      'With a `type`: where the cloud signs in, in place of its own address; for azure the authority.',
    ).optional(),
    region: field<string>({
      doc: 'ecr: region of the registry. Default: from the host name.',
      expected: 'a region such as eu-central-1',
      parse: (value) => (regionName.test(value) ? value : undefined),
      format: (value) => value,
    }).optional(),
    profile: text('ecr, ecr-public: a profile of the shared AWS configuration.', 'a name').optional(),
    accessKeyId: text('ecr, ecr-public: a fixed access key, with its secret.', 'a key id').optional(),
    ...secretForms('secretAccessKey', 'ecr, ecr-public: the secret of `accessKeyId`'),
    roleArn: text('ecr, ecr-public: a role to assume first.', 'the ARN of a role').optional(),
    externalId: text('ecr, ecr-public: what the role asks to be told.', 'a text').optional(),
    stsEndpoint: registryUrl('ecr, ecr-public: where roles are assumed.').optional(),
    keyFile: path(
      'google: JSON key of a service account, or configuration of a workload identity federation.',
    ).optional(),
    tenantId: text('azure: the directory. Default: `AZURE_TENANT_ID`.', 'an id').optional(),
    clientId: text('azure: the application. Default: `AZURE_CLIENT_ID`.', 'an id').optional(),
    ...secretForms('clientSecret', 'azure: secret of the application'),
    federatedTokenFile: path(
      'azure: token of a workload identity. Default: `AZURE_FEDERATED_TOKEN_FILE`.',
    ).optional(),
    managedIdentityClientId: text('azure: a user-assigned identity of the machine.', 'an id').optional(),
  },
);

/** A credential as written. */
export type WrittenCredential = z.output<typeof credentialSchema>;
