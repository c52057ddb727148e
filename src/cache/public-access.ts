import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import { SingleFlight } from '../base/single-flight.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { RepositoryKey } from '../tag/tag-store.ts';
import type { RegistryClient } from '../upstream/registry-client.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import type { ListingIndex } from './cache-index.ts';

export interface PublicAccessOptions {
  /** A client of the same upstream that has no credential. */
  readonly anonymous: RegistryClient;
  readonly index: ListingIndex;
  readonly clock: Clock;
  /** How long what the probe found is believed. */
  readonly lifetimeMs: number;
}

export type ProbeSubject =
  | { readonly kind: 'manifest'; readonly reference: Reference }
  | { readonly kind: 'blob'; readonly digest: Digest }
  | { readonly kind: 'listing' };

/** A refusal is believed for less long: a repository that has just been opened should not stay closed here. */
const refusedMs = 60_000;
const subjectName = 'public-access';
const [grant, refusal] = ['true', 'false'];

/**
 * Which repositories an upstream gives to anonymous callers, found out by asking as one. Stands between a
 * credential that can read private repositories and a listener that asks nobody for a token.
 */
export class PublicAccess {
  readonly #options: PublicAccessOptions;
  readonly #probes = new SingleFlight<string, boolean>();
  readonly #refusedUntilMs = new LRUCache<string, number>({ max: 10_000 });

  constructor(options: PublicAccessOptions) {
    this.#options = options;
  }

  /**
   * What was found is believed for its lifetime, and beyond it while the upstream cannot be asked: an outage says nothing.
   * Fails with UpstreamError when the upstream cannot be asked and nothing is remembered.
   */
  async isPublic(key: RepositoryKey, subject: ProbeSubject): Promise<boolean> {
    const { clock, index, lifetimeMs } = this.#options;
    const remembered = index.listing(key, subjectName);
    const granted = remembered?.body === grant;
    const ageMs = clock.nowMs() - (remembered?.checkedAtMs ?? 0);
    if (granted && ageMs >= 0 && ageMs < lifetimeMs) return true;
    const asked = `${key.repository} ${nameOf(subject)}`;
    if ((this.#refusedUntilMs.get(asked) ?? 0) > clock.monotonicMs()) return false;
    try {
      const probe = await this.#probes.run(asked, async (signal) => this.#ask(key, subject, signal));
      return probe.value;
    } catch (error) {
      if (granted && error instanceof UpstreamError) return true;
      throw error;
    }
  }

  async #ask(key: RepositoryKey, subject: ProbeSubject, signal: AbortSignal): Promise<boolean> {
    const { clock, index } = this.#options;
    const found = await this.#probe(key, subject, signal);
    if (found === 'public') {
      index.putListing(key, subjectName, { body: grant, checkedAtMs: clock.nowMs() });
      return true;
    }
    this.#refusedUntilMs.set(`${key.repository} ${nameOf(subject)}`, clock.monotonicMs() + refusedMs);
    if (found === 'closed') index.putListing(key, subjectName, { body: refusal, checkedAtMs: clock.nowMs() });
    return false;
  }

  /** `absent` speaks of the subject alone, `closed` of the whole repository. */
  async #probe(
    key: RepositoryKey,
    subject: ProbeSubject,
    signal: AbortSignal,
  ): Promise<'public' | 'absent' | 'closed'> {
    const { anonymous } = this.#options;
    try {
      switch (subject.kind) {
        case 'manifest':
          await anonymous.headManifest(key.repository, subject.reference, signal);
          break;
        case 'blob':
          await anonymous.headBlob(key.repository, subject.digest, signal);
          break;
        case 'listing':
          await anonymous.listTags(key.repository, signal);
          break;
      }
      return 'public';
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.kind === 'absent') return 'absent';
      if (error.kind === 'denied' || error.kind === 'credential') return 'closed';
      throw error;
    }
  }
}

function nameOf(subject: ProbeSubject): string {
  switch (subject.kind) {
    case 'manifest':
      return formatReference(subject.reference);
    case 'blob':
      return subject.digest;
    case 'listing':
      return 'listing';
  }
}
