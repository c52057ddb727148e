import type { Clock } from '../base/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, parseReference, type Reference } from '../oci/reference.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import type { RepositoryKey, RevisionStore, TagStore } from '../tag/tag-store.ts';
import type { UsageIndex } from './cache-index.ts';
import type { ImageContents, ImageReader } from './image-contents.ts';
import { RepositoryGraph } from './repository-graph.ts';

export interface InventoryOptions {
  readonly tags: TagStore;
  readonly revisions: RevisionStore;
  readonly index: Pick<UsageIndex, 'usage' | 'pinnedUntilMs'>;
  readonly images: Pick<ImageReader, 'read'>;
  readonly clock: Clock;
}

/** Names one entry of a repository. */
export interface InventoryName {
  readonly key: RepositoryKey;
  readonly reference: Reference;
}

export interface InventoryEntry extends InventoryName {
  readonly digest: Digest;
  readonly mediaType: string;
  /** `undefined` when the manifest itself is no longer here. */
  readonly contents: ImageContents | undefined;
  /** When the upstream last confirmed the tag; `undefined` for a digest, which needs no confirming. */
  readonly checkedAtMs: number | undefined;
  readonly usedAtMs: number | undefined;
  readonly pinnedUntilMs: number | undefined;
}

export interface InventoryPage {
  readonly entries: readonly InventoryEntry[];
  /** For `after`; `undefined` on the last page. */
  readonly next: InventoryName | undefined;
}

export interface InventoryQuery {
  readonly upstream?: string | undefined;
  /** A repository, or the first parts of its name: `library` finds `library/alpine`. */
  readonly repository?: string | undefined;
  readonly limit: number;
  /** Only what comes behind it. */
  readonly after?: InventoryName | undefined;
}

/** Says what is in the cache, by name: tags, and manifests that were pulled by digest. Asks no upstream. */
export class CacheInventory {
  readonly #options: InventoryOptions;

  constructor(options: InventoryOptions) {
    this.#options = options;
  }

  /**
   * A page in the order of upstream, repository, tags, digests. Holds no more names than the page and one repository
   * have. Fails with StorageError.
   */
  async list(query: InventoryQuery): Promise<InventoryPage> {
    const wanted = query.limit + 1;
    const found: InventoryName[] = [];
    let from = query.after?.key;
    let isFirst = from !== undefined;
    for (;;) {
      const keys = await this.#repositories(query, { from, inclusive: isFirst, count: wanted });
      isFirst = false;
      for (const key of keys) {
        found.push(...(await this.#names(key, query.after, wanted - found.length)));
        if (found.length >= wanted) break;
      }
      from = keys.at(-1);
      if (found.length >= wanted || keys.length < wanted) break;
    }
    const entries: InventoryEntry[] = [];
    for (const name of found.slice(0, query.limit)) {
      const entry = await this.describe(name);
      if (entry !== undefined) entries.push(entry);
    }
    return { entries, next: found.length > query.limit ? found[query.limit - 1] : undefined };
  }

  /** `undefined` when nothing is known under that name. Fails with StorageError. */
  async describe({ key, reference }: InventoryName): Promise<InventoryEntry | undefined> {
    const { clock, images, index, revisions, tags } = this.#options;
    const tag = reference.kind === 'tag' ? await tags.get(key, reference.tag) : undefined;
    if (reference.kind === 'tag' && tag === undefined) return undefined;
    const digest = reference.kind === 'tag' ? tag?.digest : reference.digest;
    if (digest === undefined) return undefined;
    const mediaType = tag?.mediaType ?? (await revisions.get(key, digest))?.mediaType;
    if (mediaType === undefined) return undefined;
    const pinnedUntilMs = index.pinnedUntilMs(digest);
    const isPinned = pinnedUntilMs !== undefined && pinnedUntilMs > clock.nowMs();
    return {
      key,
      reference,
      digest,
      mediaType,
      contents: await images.read(key, digest),
      checkedAtMs: tag?.checkedAtMs,
      usedAtMs: index.usage(digest)?.usedAtMs,
      pinnedUntilMs: isPinned ? pinnedUntilMs : undefined,
    };
  }

  /** The first repositories in order that match. */
  async #repositories(
    { upstream, repository }: InventoryQuery,
    page: {
      readonly from: RepositoryKey | undefined;
      readonly inclusive: boolean;
      readonly count: number;
    },
  ): Promise<readonly RepositoryKey[]> {
    const { from, inclusive, count } = page;
    const matching = (key: RepositoryKey): boolean => {
      if (upstream !== undefined && key.upstream !== upstream) return false;
      const isNamed =
        repository === undefined ||
        key.repository === repository ||
        key.repository.startsWith(`${repository}/`);
      if (!isNamed || from === undefined) return isNamed;
      return compareKeys(key, from) >= (inclusive ? 0 : 1);
    };
    return smallest(this.#options.revisions.repositories(), { count, matching, compare: compareKeys });
  }

  /** The first names of one repository, behind `after` where that is of the same one. */
  async #names(
    key: RepositoryKey,
    after: InventoryName | undefined,
    count: number,
  ): Promise<readonly InventoryName[]> {
    const behind = after !== undefined && compareKeys(after.key, key) === 0 ? after.reference : undefined;
    const pastTags = behind?.kind === 'digest';
    const tags = pastTags
      ? []
      : await smallest(this.#options.tags.names(key), {
          count,
          matching: (tag) => behind === undefined || tag > formatReference(behind),
          compare: compareText,
        });
    const names: InventoryName[] = tags.map((tag) => ({ key, reference: { kind: 'tag', tag } }));
    if (names.length >= count) return names;
    const graph = await RepositoryGraph.read(this.#options, key);
    const digests = graph
      .untagged()
      .filter((digest) => !pastTags || digest > formatReference(behind))
      .toSorted(compareText)
      .slice(0, count - names.length);
    return [...names, ...digests.map((digest) => ({ key, reference: { kind: 'digest', digest } }) as const)];
  }
}

/** `docker.io/library/alpine:3.20`, with the upstream's configured name in front. */
export function formatInventoryName({ key, reference }: InventoryName): string {
  const separator = reference.kind === 'tag' ? ':' : '@';
  return `${key.upstream}/${key.repository}${separator}${formatReference(reference)}`;
}

/** The inverse; `undefined` for anything else. */
export function parseInventoryName(text: string): InventoryName | undefined {
  const [, upstream, name, separator, referenceText] = inventoryName.exec(text) ?? [];
  if (upstream === undefined || name === undefined || referenceText === undefined) return undefined;
  const repository = parseRepositoryName(name);
  const reference = parseReference(referenceText);
  if (repository === undefined || reference?.kind !== (separator === ':' ? 'tag' : 'digest'))
    return undefined;
  return { key: { upstream, repository }, reference };
}

const inventoryName = /^([^/]{1,255})\/([^:@]{1,255})([:@])(.{1,256})$/;

/** The `count` smallest that match, in order; holds twice as many at most. */
async function smallest<T>(
  items: AsyncIterable<T>,
  options: {
    readonly count: number;
    readonly matching: (item: T) => boolean;
    readonly compare: (one: T, other: T) => number;
  },
): Promise<T[]> {
  const { compare, count, matching } = options;
  let kept: T[] = [];
  for await (const item of items) {
    if (!matching(item)) continue;
    kept.push(item);
    if (kept.length >= count * 2) kept = kept.sort(compare).slice(0, count);
  }
  return kept.sort(compare).slice(0, count);
}

function compareKeys(one: RepositoryKey, other: RepositoryKey): number {
  return compareText(one.upstream, other.upstream) || compareText(one.repository, other.repository);
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
