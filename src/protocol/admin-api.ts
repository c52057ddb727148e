/**
 * What the admin listener of an edge answers below `/api`, as JSON. Times are ISO 8601 in UTC, sizes bytes; what is not
 * known is absent.
 */

/** Body of every answer that is no success. */
export interface ApiError {
  readonly error: { readonly code: string; readonly message: string };
}

/** `GET /api/cache` */
export interface CachePage {
  readonly images: readonly CachedImage[];
  /** For `after`; absent on the last page. */
  readonly next?: string;
}

export interface CachedImage {
  /** `docker.io/library/alpine:3.20`: what the other calls take. */
  readonly image: string;
  readonly upstream: string;
  readonly repository: string;
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes that are here, manifests included. */
  readonly storedBytes: number;
  /** Whether it can be pulled with its upstream away: all of an image, at least one platform of an index. */
  readonly complete: boolean;
  readonly usedAt?: string;
  /** When the upstream last confirmed the tag. */
  readonly checkedAt?: string;
  readonly pinnedUntil?: string;
}

/** `GET /api/cache/<image>` */
export interface CachedImageDetail extends CachedImage {
  readonly platforms: readonly CachedPlatform[];
}

export interface CachedPlatform {
  readonly digest: string;
  /** `linux/arm64/v8`; absent where no index says it. */
  readonly platform?: string;
  readonly manifestHere: boolean;
  readonly complete: boolean;
  readonly blobs: readonly CachedBlob[];
}

export interface CachedBlob {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  /** `elsewhere`: a foreign layer, which clients fetch from its own address. */
  readonly state: 'here' | 'missing' | 'elsewhere';
}

/** `DELETE /api/cache/<image>`, or `DELETE /api/cache/<repository>?all=true` */
export interface RemovedImages {
  readonly tags: number;
  readonly manifests: number;
  readonly blobs: number;
  readonly freedBytes: number;
}

/** `POST /api/cache/<image>/refresh` */
export interface RefreshedImage {
  readonly image: string;
  readonly digest: string;
  /** What the name meant here before; absent when it was not here. */
  readonly previousDigest?: string;
}

/** `POST /api/cache/<image>/pin`, whose body is `{"until": "2027-01-31T00:00:00Z"}` */
export interface PinnedImage {
  readonly image: string;
  /** Absent after `unpin`, unless another pinned image contains this one. */
  readonly pinnedUntil?: string;
  /** False where parts are not here: those that come later are pinned only as far as manifests here name them. */
  readonly complete: boolean;
}

/** `POST /api/cache/warm` answers with one of these on each line (`application/x-ndjson`), the report last. */
export type WarmEvent =
  | { readonly event: 'started'; readonly image: string }
  | {
      readonly event: 'done';
      readonly image: string;
      readonly digest: string;
      readonly blobs: number;
      readonly fetchedBytes: number;
      readonly presentBytes: number;
    }
  | { readonly event: 'failed'; readonly image: string; readonly error: ApiError['error'] }
  | WarmReport;

export interface WarmReport {
  readonly event: 'report';
  readonly done: number;
  readonly failed: number;
  readonly fetchedBytes: number;
}

/** `GET /api/upstreams` */
export interface UpstreamList {
  readonly upstreams: readonly UpstreamSummary[];
}

export interface UpstreamSummary {
  readonly name: string;
  readonly url: string;
  readonly state: string;
  readonly cachedBytes: number;
  readonly rateLimits: readonly {
    readonly credential: string;
    readonly limit: { readonly remaining: number; readonly limit?: number | undefined };
  }[];
}

/** `POST /api/upstreams/<name>/test`, whose body may name an image of it: `{"image": "team/app:1"}` */
export interface UpstreamTest {
  readonly upstream: string;
  readonly url: string;
  readonly passed: boolean;
  readonly steps: readonly UpstreamTestStep[];
}

export interface UpstreamTestStep {
  readonly name: 'reach' | 'sign in and read' | 'pulls left';
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** In plain words, with the causes of a failure. */
  readonly detail: string;
  readonly tookMs?: number;
}

/** `PUT /api/log-level`, and its body */
export interface LogLevelSetting {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}
