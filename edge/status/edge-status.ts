import type { Clock } from '../../src/base/clock.ts';
import type { BlobFills, RunningFill } from '../../src/cache/blob-fills.ts';
import type { CacheIndex } from '../../src/cache/cache-index.ts';
import type { RateLimit } from '../../src/upstream/rate-limit.ts';
import type { UpstreamHealth } from '../../src/upstream/registry-client.ts';
import type { AnswerCounts } from '../edge-metrics.ts';

/** What the edge's people want to see at a glance. JSON as it stands. */
export interface EdgeStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly cache: {
    readonly blobs: number;
    readonly bytes: number;
    readonly maxBytes: number;
  };
  readonly answers: AnswerCounts;
  readonly upstreams: readonly UpstreamStatus[];
  readonly fills: readonly RunningFill[];
}

export interface UpstreamStatus {
  readonly name: string;
  readonly url: string;
  readonly state: 'answers' | 'not asked yet' | 'away' | 'left alone';
  readonly cachedBytes: number;
  readonly answers: AnswerCounts;
  readonly rateLimits: readonly { readonly credential: string; readonly limit: RateLimit }[];
}

export interface StatusSource {
  readonly version: string;
  readonly maxBytes: number;
  readonly upstreams: readonly {
    readonly name: string;
    readonly url: string;
    health(): UpstreamHealth;
    rateLimits(): ReadonlyMap<string, RateLimit>;
  }[];
  readonly index: CacheIndex;
  readonly fills: BlobFills;
  readonly answers: (upstream: string | undefined) => AnswerCounts;
  readonly clock: Clock;
}

/** Gives a fresh look each time it is called; asks nobody outside the process. */
export function statusReporter(source: StatusSource): () => EdgeStatus {
  const { clock, fills, index, maxBytes, version } = source;
  const startedAtMs = clock.nowMs();
  const startedMs = clock.monotonicMs();
  return () => {
    const totals = index.totals();
    return {
      version,
      startedAt: new Date(startedAtMs).toISOString(),
      uptimeSeconds: Math.floor((clock.monotonicMs() - startedMs) / 1000),
      cache: { blobs: totals.blobs, bytes: totals.bytes, maxBytes },
      answers: source.answers(undefined),
      upstreams: source.upstreams.map((upstream) => ({
        name: upstream.name,
        url: upstream.url,
        state: stateOf(upstream.health()),
        cachedBytes: totals.bytesByUpstream.get(upstream.name) ?? 0,
        answers: source.answers(upstream.name),
        rateLimits: [...upstream.rateLimits()].map(([credential, limit]) => ({ credential, limit })),
      })),
      fills: fills.list(),
    };
  };
}

function stateOf({ away, breakerOpen, answeredAtMs }: UpstreamHealth): UpstreamStatus['state'] {
  if (breakerOpen) return 'left alone';
  if (away) return 'away';
  return answeredAtMs === undefined ? 'not asked yet' : 'answers';
}
