import { z } from 'zod';

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

export type DockerConfigFinding =
  | {
      readonly kind: 'credential';
      readonly credential:
        | { readonly kind: 'password'; readonly username: string; readonly password: string }
        | { readonly kind: 'identity-token'; readonly token: string };
    }
  | { readonly kind: 'helper'; readonly helper: { readonly name: string; readonly server: string } }
  | string;

type Found = Exclude<DockerConfigFinding, string>;

/** The address under which Docker keeps what belongs to Docker Hub. */
const dockerHubServer = 'https://index.docker.io/v1/';

/**
 * What a Docker `config.json` says of a registry of one of these names: the helper named for it, else its entry, else
 * the helper for all. Keys are host names, or addresses as older clients wrote them (`https://index.docker.io/v1/` for
 * Docker Hub). Where there is nothing, the answer is a text that completes "<file> ...".
 */
export function findInDockerConfig(text: string, registryNames: readonly string[]): DockerConfigFinding {
  const parsed = fileSchema.safeParse(jsonFrom(text));
  if (!parsed.success) return 'is not a Docker configuration in JSON';
  const { auths = {}, credsStore = '', credHelpers = {} } = parsed.data;
  const helper = Object.entries(credHelpers).find(([key]) => registryNames.includes(hostOf(key)));
  if (helper !== undefined) {
    const [server, name] = helper;
    return { kind: 'helper', helper: { name, server } };
  }
  const [key, entry] = Object.entries(auths).find(([host]) => registryNames.includes(hostOf(host))) ?? [];
  const found = entry === undefined ? undefined : credentialOf(entry);
  if (found !== undefined) return found;
  if (credsStore === '') return `has no credential for ${registryNames[0]}`;
  const first = registryNames[0] ?? '';
  const server = key ?? (first === 'docker.io' ? dockerHubServer : first);
  return { kind: 'helper', helper: { name: credsStore, server } };
}

function credentialOf(entry: Entry): Found | undefined {
  if (entry.identitytoken !== undefined && entry.identitytoken !== '') {
    return { kind: 'credential', credential: { kind: 'identity-token', token: entry.identitytoken } };
  }
  const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const username = entry.username ?? decoded.slice(0, Math.max(colon, 0));
  const password = entry.password ?? decoded.slice(colon + 1);
  if (username === '' || password === '') return undefined;
  // docker/cli stores a refresh token under this user name where it was handed over as a password.
  return username === '<token>'
    ? { kind: 'credential', credential: { kind: 'identity-token', token: password } }
    : { kind: 'credential', credential: { kind: 'password', username, password } };
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
