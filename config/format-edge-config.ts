import { stringify } from 'yaml';
import { z } from 'zod';
import { edgeSchema, type CredentialConfig, type EdgeConfig } from './edge-schema.ts';

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

function written(credential: CredentialConfig) {
  return credential.kind === 'password'
    ? { username: credential.username, password: credential.password }
    : { identityToken: credential.identityToken };
}
