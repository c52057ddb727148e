import { z } from 'zod';
import type { CredentialConfig } from './edge-schema.ts';
import { Secret } from './secret.ts';

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});

const fileSchema = z.object({
  auths: z.record(z.string(), entrySchema).optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});

type Entry = z.output<typeof entrySchema>;

/**
 * The credential that a Docker `config.json` holds for a registry of one of these names. Keys of `auths` are host
 * names, or addresses as older clients wrote them (`https://index.docker.io/v1/` for Docker Hub).
 * Where there is none, the answer is a text that completes "<file> ...".
 */
export function credentialFromDockerConfig(
  text: string,
  registryNames: readonly string[],
): CredentialConfig | string {
  const parsed = fileSchema.safeParse(jsonFrom(text));
  if (!parsed.success) return 'is not a Docker configuration in JSON';
  const { auths = {}, credsStore, credHelpers = {} } = parsed.data;
  const entry = Object.entries(auths).find(([key]) => registryNames.includes(hostOf(key)))?.[1];
  const credential = entry === undefined ? undefined : credentialOf(entry);
  if (credential !== undefined) return credential;
  const helped = credsStore !== undefined || registryNames.some((name) => Object.hasOwn(credHelpers, name));
  return helped
    ? `leaves the password for ${registryNames[0]} to a credential helper, which an edge does not run: give it as passwordFile`
    : `has no credential for ${registryNames[0]}`;
}

function credentialOf(entry: Entry): CredentialConfig | undefined {
  if (entry.identitytoken !== undefined && entry.identitytoken !== '') {
    return { kind: 'identity-token', identityToken: new Secret(entry.identitytoken) };
  }
  const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const username = entry.username ?? decoded.slice(0, Math.max(colon, 0));
  const password = entry.password ?? decoded.slice(colon + 1);
  if (username === '' || password === '') return undefined;
  // docker/cli stores a refresh token under this user name where it was handed over as a password.
  return username === '<token>'
    ? { kind: 'identity-token', identityToken: new Secret(password) }
    : { kind: 'password', username, password: new Secret(password) };
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses `undefined`, with the one message that a person needs here.
    return undefined;
  }
}
