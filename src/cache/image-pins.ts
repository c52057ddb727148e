import type { Clock } from '../base/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryKey, RevisionStore } from '../tag/tag-store.ts';
import type { LinkIndex, UsageIndex } from './cache-index.ts';

export interface ImagePinsOptions {
  readonly revisions: RevisionStore;
  readonly index: Pick<UsageIndex, 'pin' | 'unpin' | 'pinnedUntilMs' | 'usage'> & Pick<LinkIndex, 'holders'>;
  readonly clock: Clock;
}

/** Repositories that share a blob and are asked whether they have pinned it. */
const maxHolders = 64;
/** Manifests of one of them that are looked at. */
const maxManifests = 20_000;

/**
 * Pins whole images. The index pins single digests, and images share them: taking a pin away leaves in place what another
 * pinned image needs.
 */
export class ImagePins {
  readonly #options: ImagePinsOptions;

  constructor(options: ImagePinsOptions) {
    this.#options = options;
  }

  /** Everything an image is made of, also what is not here yet. A later date that was set before stays. */
  pin(digests: Iterable<Digest>, untilMs: number): void {
    for (const digest of digests) this.#options.index.pin(digest, untilMs);
  }

  /** `digests` are all that the image is made of, manifests included. Fails with StorageError. */
  async unpin(digests: ReadonlySet<Digest>): Promise<void> {
    const { index } = this.#options;
    const held = await this.#heldByOthers(digests);
    for (const digest of digests) {
      index.unpin(digest);
      const untilMs = held.get(digest);
      if (untilMs !== undefined) index.pin(digest, untilMs);
    }
  }

  /** Which of the digests other pinned manifests name, and until when. */
  async #heldByOthers(digests: ReadonlySet<Digest>): Promise<ReadonlyMap<Digest, number>> {
    const { clock, index, revisions } = this.#options;
    const held = new Map<Digest, number>();
    for (const key of this.#repositories(digests)) {
      let looked = 0;
      for await (const manifest of revisions.digests(key)) {
        looked += 1;
        if (looked > maxManifests) break;
        if (digests.has(manifest)) continue;
        const untilMs = index.pinnedUntilMs(manifest);
        if (untilMs === undefined || untilMs <= clock.nowMs()) continue;
        for (const child of this.#reach(manifest, digests))
          held.set(child, Math.max(untilMs, held.get(child) ?? 0));
      }
    }
    return held;
  }

  #reach(manifest: Digest, among: ReadonlySet<Digest>): readonly Digest[] {
    const reached = new Set([manifest]);
    for (const digest of reached) {
      for (const child of this.#options.index.usage(digest)?.children ?? []) reached.add(child);
    }
    return [...reached].filter((digest) => among.has(digest));
  }

  #repositories(digests: ReadonlySet<Digest>): readonly RepositoryKey[] {
    const keys = new Map<string, RepositoryKey>();
    for (const digest of digests) {
      for (const key of this.#options.index.holders(digest, maxHolders)) {
        keys.set(`${key.upstream} ${key.repository}`, key);
      }
    }
    return [...keys.values()];
  }
}
