import assert from 'node:assert/strict';
import { OciError } from '../src/oci/error.ts';
import { parseRepositoryName, type RepositoryName } from '../src/oci/repository-name.ts';

/** What a request says about where its content comes from. */
export interface Address {
  /** The `Host` header, lower-case. */
  readonly host: string | undefined;
  /** The `ns` parameter that containerd, BuildKit and Docker's containerd store send. */
  readonly namespace: string | undefined;
  /** The repository as the path has it. */
  readonly name: string;
}

export interface AddressedRepository {
  readonly upstream: string;
  readonly repository: RepositoryName;
}

export interface AddressableUpstream {
  readonly name: string;
  /** Every name that means this upstream, its own included; lower-case. */
  readonly hosts: readonly string[];
}

/** Docker Hub's official images live under `library/`; people and clients leave that out. */
const dockerHub = 'docker.io';

/**
 * The four ways of addressing an edge, in this order: by `Host`, by `ns`, by the first segment of the path, and bare,
 * which means the default upstream. A registry that is named and not configured is refused, never taken for a
 * repository of the default upstream: an edge is no open proxy.
 */
export class Addressing {
  readonly #upstreamOf: ReadonlyMap<string, string>;
  readonly #default: string;

  /** `defaultUpstream` is any of the names of one; without it the first upstream is the default one. */
  constructor(
    upstreams: readonly [AddressableUpstream, ...AddressableUpstream[]],
    defaultUpstream: string = upstreams[0].name,
  ) {
    this.#upstreamOf = new Map(upstreams.flatMap(({ name, hosts }) => hosts.map((host) => [host, name])));
    const found = this.#upstreamOf.get(defaultUpstream);
    assert(found !== undefined, `the default upstream ${defaultUpstream} is not configured`);
    this.#default = found;
  }

  /** Fails with OciError: NAME_UNKNOWN for a registry that is not configured, NAME_INVALID for a name outside the grammar. */
  resolve(address: Address): AddressedRepository {
    const { upstream, name } = this.#split(address);
    const full = upstream === dockerHub && !name.includes('/') ? `library/${name}` : name;
    const repository = parseRepositoryName(full);
    if (repository === undefined) throw new OciError('NAME_INVALID', { detail: { name } });
    return { upstream, repository };
  }

  /** The upstream that a registry's name in an image means; `undefined` for one that is not configured. */
  upstreamNamed(registry: string): string | undefined {
    return this.#upstreamOf.get(registry.toLowerCase());
  }

  /** Whether that name, as a client gives it in `ns`, means this upstream. */
  means(namespace: string, upstream: string): boolean {
    return this.#upstreamOf.get(namespace.toLowerCase()) === upstream;
  }

  #split({ host, namespace, name }: Address): { upstream: string; name: string } {
    const byHost = host === undefined ? undefined : this.#upstreamOf.get(host);
    if (byHost !== undefined) return { upstream: byHost, name };

    const slash = name.indexOf('/');
    const first = slash === -1 ? name : name.slice(0, slash);
    const rest = slash === -1 ? '' : name.slice(slash + 1);
    const byPath = this.#upstreamOf.get(first);
    if (namespace !== undefined) {
      const byNamespace = this.#upstreamOf.get(namespace.toLowerCase());
      if (byNamespace === undefined) throw new OciError('NAME_UNKNOWN', { detail: { registry: namespace } });
      // BuildKit sends both.
      return { upstream: byNamespace, name: byPath === byNamespace && rest !== '' ? rest : name };
    }
    if (byPath !== undefined && rest !== '') return { upstream: byPath, name: rest };
    if (/[.:]/.test(first)) throw new OciError('NAME_UNKNOWN', { detail: { registry: first } });
    return { upstream: this.#default, name };
  }
}
