import type { CacheOutcome } from '../src/cache/cache-outcome.ts';
import type { ManifestAnswer } from '../src/cache/manifest-cache.ts';
import type { FoundBlob } from '../src/cache/blob-cache.ts';
import type { LogFields } from '../src/base/logger.ts';
import { formatCacheStatus } from '../src/http/cache-status.ts';
import type { RegistryAnswer } from '../src/http/registry-service.ts';
import { ociIndexType } from '../src/oci/media-type.ts';

const hitStatus = formatCacheStatus({ kind: 'hit' });

/** RFC 9211. An answer past its freshness is a hit with a negative time to live, with the reason beside it. */
export function cacheStatus(outcome: CacheOutcome): string {
  switch (outcome.kind) {
    case 'hit':
      return hitStatus;
    case 'stale':
      return formatCacheStatus({
        kind: 'hit',
        ttlSeconds: -Math.max(1, Math.round(outcome.overdueMs / 1000)),
        detail: outcome.detail,
      });
    case 'forward':
      return formatCacheStatus({
        kind: 'forward',
        reason: outcome.reason,
        stored: outcome.stored,
        collapsed: outcome.collapsed,
      });
    case 'pass-through':
      return formatCacheStatus({ kind: 'forward', reason: 'miss', detail: 'pass-through' });
  }
}

/** One word for logs and metrics. */
export function cacheResult(outcome: CacheOutcome): string {
  if (outcome.kind === 'forward')
    return outcome.collapsed ? 'collapsed' : outcome.reason === 'stale' ? 'revalidated' : 'miss';
  return outcome.kind;
}

export function manifestAnswer({ manifest, outcome }: ManifestAnswer, log: LogFields): RegistryAnswer {
  return {
    status: 200,
    headers: {
      'Content-Type': manifest.mediaType,
      'Docker-Content-Digest': manifest.digest,
      ETag: `"${manifest.digest}"`,
      'Cache-Status': cacheStatus(outcome),
      ...ageHeader(outcome),
    },
    body: { kind: 'bytes', bytes: manifest.bytes },
    log,
  };
}

export function blobAnswer(blob: FoundBlob, log: LogFields): RegistryAnswer {
  return {
    status: 200,
    headers: { 'Cache-Status': cacheStatus(blob.outcome) },
    body: {
      kind: 'blob',
      content: {
        digest: blob.digest,
        size: blob.size,
        open: async (wanted) => {
          switch (wanted.kind) {
            case 'whole':
              return blob.open(0, undefined);
            case 'from':
              return blob.open(wanted.start, undefined);
            case 'slice':
              return blob.open(wanted.start, wanted.end);
          }
        },
      },
    },
    log,
  };
}

export interface JsonAnswer {
  readonly value: unknown;
  readonly mediaType?: string;
  readonly outcome: CacheOutcome;
  readonly headers?: Readonly<Record<string, string>>;
  readonly log: LogFields;
}

export function jsonAnswer({ value, mediaType, outcome, headers, log }: JsonAnswer): RegistryAnswer {
  return {
    status: 200,
    headers: {
      'Content-Type': mediaType ?? 'application/json',
      'Cache-Status': cacheStatus(outcome),
      ...ageHeader(outcome),
      ...headers,
    },
    body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify(value)) },
    log,
  };
}

/** distribution-spec, "Listing Referrers": an image index. */
export function referrersIndex(manifests: readonly unknown[]): unknown {
  return { schemaVersion: 2, mediaType: ociIndexType, manifests };
}

function ageHeader(outcome: CacheOutcome): Readonly<Record<string, string>> {
  return outcome.kind === 'stale' ? { Age: String(Math.round(outcome.ageMs / 1000)) } : {};
}
