import { formatReference, parseReference, type Reference } from './reference.ts';
import { parseRepositoryName, type RepositoryName } from './repository-name.ts';

/** An image as people write it, made explicit. */
export interface ImageName {
  /** Host in lower case, with a port where one was given: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  readonly repository: RepositoryName;
  readonly reference: Reference;
}

const dockerHub = 'docker.io';
const maxLength = 1_024;

const hostGrammar = /^(?:[a-z0-9](?:[a-z0-9.-]{0,253}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/;
/** Docker takes 64 hexadecimal digits for an image's ID, never for a name. */
const imageId = /^[0-9a-f]{64}$/;

/**
 * Reads what people type, with Docker's rules: without a registry it is docker.io, there a single component is in
 * `library/`, without a tag it is `latest`; of a tag and a digest together the digest counts. `alpine` is
 * `docker.io/library/alpine:latest`. The first component is a registry when it has a dot, a colon or a capital letter, or is
 * `localhost`.
 */
export function parseImageName(text: string): ImageName | undefined {
  if (text.length > maxLength || imageId.test(text)) return undefined;
  const { registry, rest } = splitRegistry(text);
  if (!hostGrammar.test(registry)) return undefined;
  const { path, reference: referenceText } = splitReference(rest);
  const isOfficial = registry === dockerHub && !path.includes('/');
  const repository = parseRepositoryName(isOfficial ? `library/${path}` : path);
  const reference = referenceText === undefined ? undefined : parseReference(referenceText);
  return repository === undefined || reference === undefined
    ? undefined
    : { registry, repository, reference };
}

/** Complete, with nothing left to be guessed: `docker.io/library/alpine:latest`. */
export function formatImageName(name: ImageName): string {
  const separator = name.reference.kind === 'digest' ? '@' : ':';
  return `${name.registry}/${name.repository}${separator}${formatReference(name.reference)}`;
}

function splitRegistry(text: string): { registry: string; rest: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isHost = /[.:A-Z]/.test(first) || first === 'localhost';
  if (!isHost) return { registry: dockerHub, rest: text };
  const host = first.toLowerCase();
  return { registry: host === 'index.docker.io' ? dockerHub : host, rest: text.slice(slash + 1) };
}

/** `reference` is `undefined` where a digest follows a tag that is none. */
function splitReference(text: string): { path: string; reference: string | undefined } {
  const at = text.indexOf('@');
  const beforeDigest = at === -1 ? text : text.slice(0, at);
  const colon = beforeDigest.indexOf(':');
  const path = colon === -1 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon === -1 ? 'latest' : beforeDigest.slice(colon + 1);
  if (parseReference(tag)?.kind !== 'tag') return { path, reference: undefined };
  if (at === -1) return { path, reference: tag };
  const digest = text.slice(at + 1);
  // A tag in the digest's place would pass for a reference as well.
  return { path, reference: digest.includes(':') ? digest : undefined };
}
