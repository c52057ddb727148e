import type { BlobCache, BlobIntent } from '../src/cache/blob-cache.ts';
import type { CacheOutcome } from '../src/cache/cache-outcome.ts';
import type { CachedRepository } from '../src/cache/cached-upstream.ts';
import type { ListingCache } from '../src/cache/listing-cache.ts';
import type { ManifestCache } from '../src/cache/manifest-cache.ts';
import type { ProbeSubject } from '../src/cache/public-access.ts';
import { refusalOf } from '../src/cache/refusal.ts';
import type { LogFields } from '../src/base/logger.ts';
import type { RegistryAnswer, RegistryRequest, RegistryService } from '../src/http/registry-service.ts';
import { parseDigest, type Digest } from '../src/oci/digest.ts';
import { OciError } from '../src/oci/error.ts';
import { ociIndexType } from '../src/oci/media-type.ts';
import { parseReference, type Reference } from '../src/oci/reference.ts';
import { blobAnswer, cacheResult, jsonAnswer, manifestAnswer, referrersIndex } from './answers.ts';
import type { Addressing } from './addressing.ts';
import type { EdgeMetrics } from './edge-metrics.ts';
import type { EdgeUpstream } from './edge-upstream.ts';
import { parseTagPageRequest, tagPage } from './tag-page.ts';

export interface EdgeRegistryOptions {
  readonly addressing: Addressing;
  readonly upstreams: ReadonlyMap<string, EdgeUpstream>;
  readonly manifests: ManifestCache;
  readonly blobs: BlobCache;
  readonly listings: ListingCache;
  readonly metrics: EdgeMetrics;
}

interface Addressed {
  readonly repository: CachedRepository;
  readonly publicAccess: EdgeUpstream['publicAccess'];
  /** Echoed where the client named the registry by `ns` (distribution-spec, "Registry Proxying"). */
  readonly namespace: string | undefined;
}

const apiVersionAnswer: RegistryAnswer = {
  status: 200,
  headers: { 'Content-Type': 'application/json' },
  body: { kind: 'bytes', bytes: Buffer.from('{}') },
};

/** The mirror listener's registry: reads only, never a challenge, any number of upstreams in one name space. */
export class EdgeRegistry implements RegistryService {
  readonly #options: EdgeRegistryOptions;

  constructor(options: EdgeRegistryOptions) {
    this.#options = options;
  }

  handle(request: RegistryRequest): RegistryAnswer | Promise<RegistryAnswer> {
    const { route, method } = request;
    if (method !== 'GET' && method !== 'HEAD') throw readOnly();
    switch (route.kind) {
      case 'base':
        return apiVersionAnswer;
      case 'manifest':
        return this.#manifest(request, route.name, parseManifestReference(route.reference));
      case 'blob':
        return this.#blob(request, route.name, parseRouteDigest(route.digest));
      case 'tags':
        return this.#tags(request, route.name);
      case 'referrers':
        return this.#referrers(request, route.name, parseRouteDigest(route.digest));
      case 'catalog':
        throw new OciError('UNSUPPORTED', { detail: 'an edge has no catalog of its own' });
      case 'upload-start':
      case 'upload':
        throw readOnly();
    }
  }

  #manifest(
    request: RegistryRequest,
    name: string,
    reference: Reference,
  ): RegistryAnswer | Promise<RegistryAnswer> {
    const addressed = this.#address(request, name);
    const { manifests } = this.#options;
    if (addressed.publicAccess === undefined) {
      const hot = manifests.hot(addressed.repository, reference);
      if (hot !== undefined) {
        return withNamespace(addressed, manifestAnswer(hot, this.#count(addressed, hot.outcome)));
      }
    }
    return this.#slowManifest(addressed, reference);
  }

  async #slowManifest(addressed: Addressed, reference: Reference): Promise<RegistryAnswer> {
    await this.#admit(addressed, { kind: 'manifest', reference });
    const answer = await this.#options.manifests.get(addressed.repository, reference);
    return withNamespace(addressed, manifestAnswer(answer, this.#count(addressed, answer.outcome)));
  }

  async #blob(request: RegistryRequest, name: string, digest: Digest): Promise<RegistryAnswer> {
    const addressed = this.#address(request, name);
    await this.#admit(addressed, { kind: 'blob', digest });
    const found = await this.#options.blobs.find(addressed.repository, digest, intentOf(request));
    return withNamespace(addressed, blobAnswer(found, this.#count(addressed, found.outcome)));
  }

  async #tags(request: RegistryRequest, name: string): Promise<RegistryAnswer> {
    const addressed = this.#address(request, name);
    const page = parseTagPageRequest(request.query);
    await this.#admit(addressed, { kind: 'listing' });
    const { value, outcome } = await this.#options.listings.tags(addressed.repository);
    const { tags, next } = tagPage(value, page);
    const headers = next === undefined ? {} : { Link: nextLink(name, addressed.namespace, next) };
    const log = this.#count(addressed, outcome);
    return withNamespace(addressed, jsonAnswer({ value: { name, tags }, outcome, headers, log }));
  }

  async #referrers(request: RegistryRequest, name: string, digest: Digest): Promise<RegistryAnswer> {
    const addressed = this.#address(request, name);
    const artifactType = request.query.get('artifactType');
    await this.#admit(addressed, { kind: 'manifest', reference: { kind: 'digest', digest } });
    const { value, outcome } = await this.#options.listings.referrers(addressed.repository, digest);
    const wanted =
      artifactType === null ? value : value.filter((one) => one['artifactType'] === artifactType);
    const log = this.#count(addressed, outcome);
    const answer = jsonAnswer({
      value: referrersIndex(wanted),
      mediaType: ociIndexType,
      outcome,
      headers: artifactType === null ? {} : { 'OCI-Filters-Applied': 'artifactType' },
      log,
    });
    return withNamespace(addressed, answer);
  }

  #address({ host, query }: RegistryRequest, name: string): Addressed {
    const { addressing, upstreams } = this.#options;
    const asked = query.get('ns') ?? undefined;
    const key = addressing.resolve({ host, namespace: asked, name });
    const upstream = upstreams.get(key.upstream);
    if (upstream === undefined) throw new OciError('NAME_UNKNOWN');
    // `Host` goes before `ns`, which then may be anything: also text that no header field can carry.
    const namespace = asked !== undefined && addressing.means(asked, key.upstream) ? asked : undefined;
    return { repository: { upstream: upstream.cached, key }, publicAccess: upstream.publicAccess, namespace };
  }

  /** What is not public is not told from what does not exist. */
  async #admit({ repository, publicAccess }: Addressed, subject: ProbeSubject): Promise<void> {
    if (publicAccess === undefined) return;
    let isPublic: boolean;
    try {
      isPublic = await publicAccess.isPublic(repository.key, subject);
    } catch (error) {
      throw refusalOf(error, 'NAME_UNKNOWN');
    }
    if (!isPublic) throw new OciError('NAME_UNKNOWN');
  }

  #count({ repository }: Addressed, outcome: CacheOutcome): LogFields {
    const { key } = repository;
    const cache = cacheResult(outcome);
    this.#options.metrics.answered(key.upstream, cache);
    return { upstream: key.upstream, repository: key.repository, cache };
  }
}

function readOnly(): OciError {
  return new OciError('UNSUPPORTED', {
    detail: 'an edge is read-only: push to the registry itself',
    headers: { Allow: 'GET, HEAD' },
  });
}

function parseManifestReference(text: string): Reference {
  const reference = parseReference(text);
  if (reference !== undefined) return reference;
  // No manifest can have such a tag, and clients take 400 for a fault of their own.
  throw new OciError(text.includes(':') ? 'DIGEST_INVALID' : 'MANIFEST_UNKNOWN');
}

function parseRouteDigest(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) throw new OciError('DIGEST_INVALID');
  return digest;
}

function intentOf({ method, headers }: RegistryRequest): BlobIntent {
  if (method === 'HEAD') return 'head';
  // May come to 304 or to all of the blob: either way its bytes are no proof to begin with.
  if (headers['if-none-match'] !== undefined) return 'range';
  return headers.range === undefined || headers.range === 'bytes=0-' ? 'whole' : 'range';
}

function nextLink(name: string, namespace: string | undefined, next: { n: number; last: string }): string {
  const query = new URLSearchParams({ n: String(next.n), last: next.last });
  if (namespace !== undefined) query.set('ns', namespace);
  return `</v2/${name}/tags/list?${query.toString()}>; rel="next"`;
}

function withNamespace({ namespace }: Addressed, answer: RegistryAnswer): RegistryAnswer {
  if (namespace === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'OCI-Namespace': namespace } };
}
