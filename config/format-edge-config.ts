import { stringify } from 'yaml';
import { z } from 'zod';
import type { CredentialConfig } from './credential-config.ts';
import type { WrittenCredential } from './credential-schema.ts';
import { edgeSchema, type EdgeConfig } from './edge-schema.ts';

/** The configuration as a YAML file would state it, every default written out, every secret masked. */
export function formatEdgeConfig(config: EdgeConfig): string {
  const upstreams = config.upstreams.map((upstream) => ({
    ...upstream,
    credentials: upstream.credentials.map((credential) => written(credential)),
    freshness: [...upstream.freshness],
  }));
  return stringify(z.encode(edgeSchema, { ...config, upstreams, peers: [] }), {
    aliasDuplicateObjects: false,
  });
}

/** What came from a file is shown as that file, what came from elsewhere masked. */
function written(credential: CredentialConfig): WrittenCredential {
  switch (credential.kind) {
    case 'password': {
      const { username, password, passwordFile } = credential;
      return { username, ...(passwordFile === undefined ? { password } : { passwordFile }) };
    }
    case 'identity-token': {
      const { identityToken, identityTokenFile } = credential;
      return identityTokenFile === undefined ? { identityToken } : { identityTokenFile };
    }
    case 'docker-config':
      return { dockerConfig: credential.dockerConfig };
    case 'ecr':
    case 'ecr-public': {
      const { kind, region, endpoint, stsEndpoint, profile, accessKeyId, roleArn, externalId } = credential;
      const { secretAccessKey, secretAccessKeyFile } = credential;
      return {
        type: kind,
        ...(kind === 'ecr' ? { region } : {}),
        endpoint,
        profile,
        accessKeyId,
        secretAccessKey,
        secretAccessKeyFile,
        roleArn,
        externalId,
        stsEndpoint,
        ...unless(secretAccessKeyFile, 'secretAccessKey'),
      };
    }
    case 'google': {
      const { kind, ...keys } = credential;
      return { type: kind, ...keys };
    }
    case 'azure': {
      const { kind, ...keys } = credential;
      return { type: kind, ...keys, ...unless(keys.clientSecretFile, 'clientSecret') };
    }
  }
}

/** Takes the value away where the file says as much. */
function unless(file: string | undefined, key: string): Record<string, undefined> {
  return file === undefined ? {} : { [key]: undefined };
}
