import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import { SingleFlight } from '../base/single-flight.ts';
import type { BlobReader } from '../blob/blob-store.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isEmptyBlob } from '../oci/empty-blob.ts';
import { isForeignLayer } from '../oci/manifest-links.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import type { CachedRepository } from './cached-upstream.ts';
import type { HotManifest } from './hot-manifests.ts';
import type { ManifestShelf } from './manifest-shelf.ts';

/** An upstream that answered this recently is taken to be there. */
const aliveMs = 5_000;
const maxIndexDepth = 4;
const incompleteMs = 1_000;

/**
 * Whether the edge may answer with a manifest: Podman and CRI-O take all of an image from whoever served its
 * manifest, so one whose blobs are not here may only be answered while its upstream can bring them.
 */
export class DeliveryCheck {
  readonly #blobs: BlobReader;
  readonly #shelf: ManifestShelf;
  readonly #clock: Clock;
  readonly #probes = new SingleFlight<string, boolean>();
  readonly #incompleteUntilMs = new LRUCache<string, number>({ max: 1_000 });
  #removals = 0;

  constructor(options: { blobs: BlobReader; shelf: ManifestShelf; clock: Clock }) {
    this.#blobs = options.blobs;
    this.#shelf = options.shelf;
    this.#clock = options.clock;
  }

  /** A blob came into the store: what was incomplete may be complete now. */
  added(): void {
    this.#incompleteUntilMs.clear();
  }

  /** Something left the store: what was complete may no longer be. */
  removed(): void {
    this.#removals += 1;
  }

  /** The answer when it needs no waiting; `undefined` when `ask` must find out. */
  known({ upstream }: CachedRepository, manifest: HotManifest): true | undefined {
    if (manifest.completeAt === this.#removals) return true;
    const { away, answeredAtMs } = upstream.health();
    const alive = !away && answeredAtMs !== undefined && this.#clock.monotonicMs() - answeredAtMs < aliveMs;
    return alive ? true : undefined;
  }

  async ask(repository: CachedRepository, manifest: HotManifest): Promise<boolean> {
    if (await this.isComplete(repository, manifest)) return true;
    if (repository.upstream.health().breakerOpen) return false;
    const probe = await this.#probes.run(repository.upstream.name, async (signal) => {
      try {
        const reference = { kind: 'digest', digest: manifest.digest } as const;
        await repository.upstream.client.headManifest(repository.key.repository, reference, signal);
        return true;
      } catch (error) {
        if (error instanceof UpstreamError) return error.isVerdict;
        throw error;
      }
    });
    return probe.value;
  }

  /** Whether all that a client needs is here: the blobs of an image, one whole child of an index. */
  async isComplete(repository: CachedRepository, manifest: HotManifest, depth = 0): Promise<boolean> {
    const removals = this.#removals;
    if (manifest.completeAt === removals) return true;
    const recently = this.#incompleteUntilMs.get(manifest.digest) ?? 0;
    if (recently > this.#clock.monotonicMs()) return false;
    const { blobs, manifests } = manifest.links;
    const complete =
      (await this.#hasAll(blobs)) &&
      (manifests.length === 0 || (await this.#hasAny(repository, manifests, depth + 1)));
    if (complete) manifest.completeAt = removals;
    else this.#incompleteUntilMs.set(manifest.digest, this.#clock.monotonicMs() + incompleteMs);
    return complete;
  }

  async #hasAll(blobs: readonly Descriptor[]): Promise<boolean> {
    for (const blob of blobs) {
      if (isForeignLayer(blob) || isEmptyBlob(blob.digest)) continue;
      if ((await this.#blobs.stat(blob.digest)) === undefined) return false;
    }
    return true;
  }

  async #hasAny(
    repository: CachedRepository,
    children: readonly Descriptor[],
    depth: number,
  ): Promise<boolean> {
    if (depth > maxIndexDepth) return false;
    for (const { digest } of children) {
      const child = await this.#shelf.get(repository.key, digest);
      if (child !== undefined && (await this.isComplete(repository, child, depth))) return true;
    }
    return false;
  }
}
