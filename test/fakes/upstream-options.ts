import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { noMetrics } from '../../src/base/metrics.ts';
import { directRoute } from '../../src/upstream/egress-route.ts';
import type { HttpUpstreamOptions } from '../../src/upstream/http-upstream.ts';

/** Options of an HTTP upstream for tests: short waits, no jitter, private targets allowed only where the test says so. */
export function upstreamOptions(
  origin: string,
  changes: Partial<HttpUpstreamOptions> = {},
): HttpUpstreamOptions {
  return {
    name: 'upstream.test',
    url: new URL(origin),
    credentials: [],
    trustedRealms: [],
    tls: { insecure: false },
    timeouts: { connectMs: 2000, headersMs: 2000, idleMs: 2000 },
    maxConnections: 16,
    maxQueued: 100,
    breaker: { failures: 3, pauseMs: 1000, maxPauseMs: 8000 },
    rejection: { attempts: 3, pauseMs: 600_000, maxPauseMs: 3_600_000 },
    listing: { maxPages: 10, maxBytes: 1024 * 1024, referrersAbsentMs: 60_000 },
    maxTokens: 100,
    allowPrivateTargets: false,
    egress: directRoute,
    userAgent: 'wherry/test',
    clock: systemClock,
    random: () => 0,
    logger: silentLogger,
    metrics: noMetrics,
    ...changes,
  };
}
