import type { Clock } from '../base/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { field, isJsonObject, type JsonObject } from '../oci/json-value.ts';
import { normaliseMediaType, ociIndexType } from '../oci/media-type.ts';
import { referrersTag } from '../oci/referrers-tag.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { readBody } from './bounded-body.ts';
import type { HttpAnswer } from './http-transport.ts';
import { nextLink } from './link-header.ts';
import { malformed } from './manifest-reader.ts';
import { isSameOrigin } from './redirect-policy.ts';
import type { ListingSource, ManifestSource, ReferrersListing } from './registry-client.ts';
import type { RegistryExchange } from './registry-exchange.ts';
import { UpstreamError } from './upstream-error.ts';

export interface ListingLimits {
  /** Pages followed for one listing. */
  readonly maxPages: number;
  /** Bytes of all pages of one listing. */
  readonly maxBytes: number;
  /** How long an upstream that lacks the referrers API is not asked for it again. */
  readonly referrersAbsentMs: number;
}

/** ListingSource over HTTP. */
export class ListingReader implements ListingSource {
  readonly #exchange: RegistryExchange;
  readonly #manifests: ManifestSource;
  readonly #limits: ListingLimits;
  readonly #clock: Clock;
  #referrersAbsentUntilMs = 0;

  constructor(parts: {
    exchange: RegistryExchange;
    manifests: ManifestSource;
    limits: ListingLimits;
    clock: Clock;
  }) {
    this.#exchange = parts.exchange;
    this.#manifests = parts.manifests;
    this.#limits = parts.limits;
    this.#clock = parts.clock;
  }

  async listTags(repository: RepositoryName, signal: AbortSignal): Promise<readonly string[]> {
    const tags: string[] = [];
    const pages = this.#pages({ repository, target: 'tags/list', accept: 'application/json', signal });
    for await (const { body, answer } of pages) {
      const page = field(body, 'tags') ?? [];
      if (!isJsonObject(body) || !Array.isArray(page) || !page.every((tag) => typeof tag === 'string')) {
        throw malformed(answer, 'GET', 'no list of tags');
      }
      tags.push(...page);
    }
    return tags;
  }

  /** Registries without the API answer with 404, 400, 406, or a page of their web site (distribution-spec, "Listing Referrers"). */
  async listReferrers(
    repository: RepositoryName,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<ReferrersListing> {
    if (this.#clock.monotonicMs() < this.#referrersAbsentUntilMs) {
      return this.#fallbackReferrers(repository, digest, signal);
    }
    const manifests = await this.#referrersFromApi(repository, digest, signal);
    if (manifests !== undefined) return { manifests };
    const listing = await this.#fallbackReferrers(repository, digest, signal);
    this.#referrersAbsentUntilMs = this.#clock.monotonicMs() + this.#limits.referrersAbsentMs;
    return listing;
  }

  /** `undefined` where the first page shows that there is no such API. */
  async #referrersFromApi(
    repository: RepositoryName,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<readonly JsonObject[] | undefined> {
    const target = `referrers/${digest}`;
    let manifests: readonly JsonObject[] | undefined;
    try {
      for await (const { body, answer } of this.#pages({
        repository,
        target,
        accept: ociIndexType,
        signal,
      })) {
        const isIndex = normaliseMediaType(answer.header('content-type') ?? '') === ociIndexType;
        const page = isIndex ? descriptorsOf(body) : undefined;
        if (page === undefined) throw malformed(answer, 'GET', 'no list of referrers');
        manifests = [...(manifests ?? []), ...page];
      }
    } catch (error) {
      const isMissing = manifests === undefined && error instanceof UpstreamError && lacksApi(error);
      if (!isMissing) throw error;
    }
    return manifests;
  }

  /** cosign once used the same tag for other things: only an OCI index is believed. */
  async #fallbackReferrers(
    repository: RepositoryName,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<ReferrersListing> {
    try {
      const reference = { kind: 'tag', tag: referrersTag(digest) } as const;
      const { mediaType, bytes } = await this.#manifests.getManifest(repository, reference, signal);
      const manifests = mediaType === ociIndexType ? descriptorsOf(parseJson(bytes)) : undefined;
      return { manifests: manifests ?? [] };
    } catch (error) {
      const isNone = error instanceof UpstreamError && (error.kind === 'absent' || isNoManifest(error));
      if (!isNone) throw error;
      return { manifests: [] };
    }
  }

  async *#pages(listing: {
    repository: RepositoryName;
    target: string;
    accept: string;
    signal: AbortSignal;
  }): AsyncGenerator<{ body: unknown; answer: HttpAnswer }, void, undefined> {
    const { repository, accept, signal } = listing;
    const seen = new Set<string>();
    let target: string | URL = listing.target;
    let bytesLeft = this.#limits.maxBytes;
    for (let page = 1; ; page += 1) {
      const answer = await this.#exchange.call({
        method: 'GET',
        repository,
        target,
        headers: { accept },
        lane: 'control',
        accept: [200],
        stopAtOtherOrigin: true,
        signal,
      });
      if (answer.status !== 200) {
        answer.discard();
        throw malformed(answer, 'GET', 'a listing that leads to another host');
      }
      const bytes = await readBody(answer, bytesLeft);
      if (bytes === undefined)
        throw malformed(answer, 'GET', `a listing of more than ${this.#limits.maxBytes} bytes`);
      bytesLeft -= bytes.length;
      seen.add(answer.url.href);
      yield { body: parseJson(bytes), answer };

      const next = this.#nextPage(answer);
      if (next === undefined) return;
      if (seen.has(next.href)) throw malformed(answer, 'GET', 'a listing whose links go in a circle');
      if (page === this.#limits.maxPages)
        throw malformed(answer, 'GET', `a listing of more than ${page} pages`);
      target = next;
    }
  }

  #nextPage(answer: HttpAnswer): URL | undefined {
    const link = nextLink(answer.headerLines('link'));
    if (link === undefined) return undefined;
    const url = URL.parse(link, answer.url.href);
    if (url === null || !isSameOrigin(url, this.#exchange.base)) {
      throw malformed(answer, 'GET', 'a listing whose next page is on another host');
    }
    return url;
  }
}

/** Refusals and outages are no word on the API. */
function lacksApi(error: UpstreamError): boolean {
  return error.kind === 'absent' || error.kind === 'malformed';
}

/** A fallback tag that holds something else. */
function isNoManifest(error: UpstreamError): boolean {
  return error.kind === 'malformed' && error.status === 200;
}

function descriptorsOf(json: unknown): readonly JsonObject[] | undefined {
  const manifests = field(json, 'manifests');
  if (manifests === null) return [];
  return Array.isArray(manifests) && manifests.every(isJsonObject) ? manifests : undefined;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    // The caller says what it is that is missing.
    return undefined;
  }
}
