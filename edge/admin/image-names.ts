import type { InventoryName } from '../../src/cache/cache-inventory.ts';
import type { CachedRepository, CachedUpstream } from '../../src/cache/cached-upstream.ts';
import { parseImageName, type ImageName } from '../../src/oci/image-name.ts';
import type { Addressing } from '../addressing.ts';
import { RequestError } from './api-error.ts';

export interface NamedImage extends InventoryName {
  readonly repository: CachedRepository;
}

/** Finds what people mean by an image's name among the upstreams of this edge. */
export class ImageNames {
  readonly #addressing: Pick<Addressing, 'upstreamNamed'>;
  readonly #upstreams: ReadonlyMap<string, CachedUpstream>;

  constructor(options: {
    addressing: Pick<Addressing, 'upstreamNamed'>;
    upstreams: ReadonlyMap<string, CachedUpstream>;
  }) {
    this.#addressing = options.addressing;
    this.#upstreams = options.upstreams;
  }

  /** `alpine`, `ghcr.io/owner/app:1`, `host/app@sha256:...`. Fails with RequestError. */
  find(text: string): NamedImage {
    const name = this.#parse(text);
    if (name === undefined)
      throw new RequestError('INVALID', `${JSON.stringify(text)} is no name of an image`);
    const upstream = this.#upstreams.get(this.#addressing.upstreamNamed(name.registry) ?? '');
    if (upstream === undefined) {
      const known = [...this.#upstreams.keys()].join(', ');
      throw new RequestError('NOT_FOUND', `${name.registry} is no upstream of this edge; it has ${known}`);
    }
    const key = { upstream: upstream.name, repository: name.repository };
    return { key, reference: name.reference, repository: { key, upstream } };
  }

  /** A name without tag and digest. Fails with RequestError. */
  findRepository(text: string): CachedRepository {
    if (text.includes('@') || text.slice(text.lastIndexOf('/') + 1).includes(':')) {
      throw new RequestError('INVALID', 'name the repository, without tag and digest');
    }
    return this.find(text).repository;
  }

  /** An alias of an upstream need not look like a host: then its first part is not taken for a part of Docker Hub. */
  #parse(text: string): ImageName | undefined {
    const slash = text.indexOf('/');
    const first = text.slice(0, Math.max(slash, 0));
    if (first === '' || /[.:]/.test(first) || first === 'localhost') return parseImageName(text);
    if (this.#addressing.upstreamNamed(first) === undefined) return parseImageName(text);
    const name = parseImageName(`alias.invalid${text.slice(slash)}`);
    return name && { ...name, registry: first };
  }
}
