import { createHash } from 'node:crypto';
import { digestAlgorithm, parseDigest, type Digest } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import {
  dockerManifestType,
  dockerSchema1Type,
  dockerSignedSchema1Type,
  isImageManifestType,
  isIndexType,
  manifestAccept,
  normaliseMediaType,
  ociArtifactManifestType,
  ociIndexType,
  ociManifestType,
  orasArtifactManifestType,
} from '../oci/media-type.ts';
import { field, textField } from '../oci/json-value.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { readBody } from './bounded-body.ts';
import type { HttpAnswer } from './http-transport.ts';
import { parseRateLimit, type RateLimitBudget } from './rate-limit.ts';
import { redactUrl } from './redact.ts';
import type { FetchedManifest, ManifestHead, ManifestSource } from './registry-client.ts';
import type { RegistryExchange } from './registry-exchange.ts';
import { UpstreamError } from './upstream-error.ts';

/** What distribution-spec asks registries to accept at least, and what they limit manifests to in practice. */
export const maxManifestBytes = 4 * 1024 * 1024;

const otherManifestTypes: ReadonlySet<string> = new Set([
  ociArtifactManifestType,
  orasArtifactManifestType,
  dockerSchema1Type,
  dockerSignedSchema1Type,
]);

/** What servers send that do not know what they hold: the body decides then. */
const unspecificTypes: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'application/octet-stream',
  'text/plain',
]);

/** ManifestSource over HTTP. */
export class ManifestReader implements ManifestSource {
  readonly #exchange: RegistryExchange;
  readonly #budget: RateLimitBudget;

  constructor(exchange: RegistryExchange, budget: RateLimitBudget) {
    this.#exchange = exchange;
    this.#budget = budget;
  }

  /** Where the header says too little for a HEAD, the manifest itself is fetched. */
  async headManifest(
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<ManifestHead> {
    const answer = await this.#call('HEAD', repository, reference, signal);
    answer.discard();
    const mediaType = contentType(answer);
    if (unspecificTypes.has(mediaType)) {
      const { digest, mediaType: found, bytes } = await this.getManifest(repository, reference, signal);
      return { digest, mediaType: found, size: bytes.length };
    }
    assertManifestType(mediaType, answer, 'HEAD');
    const digest = announcedDigest(answer);
    if (reference.kind === 'digest' && digest !== undefined && isOtherDigest(digest, reference.digest)) {
      throw malformed(answer, 'HEAD', `another digest than asked for: ${digest}`);
    }
    const length = Number(answer.header('content-length') ?? Number.NaN);
    return {
      digest: reference.kind === 'digest' ? reference.digest : digest,
      mediaType,
      size: Number.isSafeInteger(length) && length > 0 ? length : undefined,
    };
  }

  async getManifest(
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<FetchedManifest> {
    const answer = await this.#call('GET', repository, reference, signal);
    try {
      const announced = contentType(answer);
      if (!unspecificTypes.has(announced)) assertManifestType(announced, answer, 'GET');
      assertIdentity(answer, 'GET');
      const bytes = await readBody(answer, maxManifestBytes);
      if (bytes === undefined) throw malformed(answer, 'GET', `longer than ${maxManifestBytes} bytes`);
      const mediaType = unspecificTypes.has(announced) ? typeOfBody(bytes) : announced;
      if (mediaType === undefined || parseManifest(bytes, mediaType) === undefined) {
        throw malformed(answer, 'GET', 'no manifest');
      }
      return { digest: verifiedDigest(bytes, reference, answer), mediaType, bytes };
    } finally {
      answer.discard();
    }
  }

  async #call(
    method: 'GET' | 'HEAD',
    repository: RepositoryName,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const answer = await this.#exchange.call({
      method,
      repository,
      target: `manifests/${formatReference(reference)}`,
      headers: { accept: manifestAccept },
      lane: 'control',
      accept: [200],
      signal,
    });
    const limit = parseRateLimit((name) => answer.header(name));
    if (limit !== undefined) this.#budget.update(limit);
    return answer;
  }
}

/** Fails for a body that was encoded on the way: its bytes are not those that the digest covers. */
export function assertIdentity(answer: HttpAnswer, method: string): void {
  const encoding = answer.header('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return;
  answer.discard();
  throw malformed(answer, method, `content encoding ${encoding} was not asked for`);
}

export function malformed(answer: HttpAnswer, method: string, why: string): UpstreamError {
  const request = `${method} ${redactUrl(answer.url)}`;
  return new UpstreamError('malformed', `${request}: ${why}`, { request, status: answer.status });
}

function contentType(answer: HttpAnswer): string {
  return normaliseMediaType(answer.header('content-type') ?? '');
}

/** Captive portals, login pages and error pages come with 200 as well. */
function assertManifestType(mediaType: string, answer: HttpAnswer, method: string): void {
  if (isIndexType(mediaType) || isImageManifestType(mediaType) || otherManifestTypes.has(mediaType)) return;
  if (/^application\/vnd\.[^/]+\+json$/.test(mediaType)) return;
  answer.discard();
  throw malformed(answer, method, `${mediaType.slice(0, 100)} is no manifest`);
}

function announcedDigest(answer: HttpAnswer): Digest | undefined {
  return parseDigest(answer.header('docker-content-digest')?.trim() ?? '');
}

function isOtherDigest(one: Digest, other: Digest): boolean {
  return digestAlgorithm(one) === digestAlgorithm(other) && one !== other;
}

function hash(bytes: Uint8Array, algorithm: 'sha256' | 'sha512'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

function verifiedDigest(bytes: Uint8Array, reference: Reference, answer: HttpAnswer): Digest {
  const announced = announcedDigest(answer);
  const claims = reference.kind === 'digest' ? [reference.digest, announced] : [announced];
  for (const claim of claims) {
    if (claim === undefined) continue;
    const actual = hash(bytes, digestAlgorithm(claim));
    if (actual !== claim) throw malformed(answer, 'GET', `body has digest ${actual} instead of ${claim}`);
  }
  return claims.find((claim) => claim !== undefined) ?? hash(bytes, 'sha256');
}

/** By the body's own word, else by its shape (image-spec: `mediaType` is a SHOULD). */
function typeOfBody(bytes: Uint8Array): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  const own = textField(json, 'mediaType');
  if (own !== undefined) return normaliseMediaType(own);
  if (Array.isArray(field(json, 'manifests'))) return ociIndexType;
  if (!Array.isArray(field(json, 'layers'))) return undefined;
  const configType = textField(field(json, 'config'), 'mediaType') ?? '';
  return configType.startsWith('application/vnd.docker.') ? dockerManifestType : ociManifestType;
}
