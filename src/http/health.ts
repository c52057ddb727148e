import { Hono } from 'hono';
import type { Clock } from '../base/clock.ts';

/** One thing that a role needs in order to serve. */
export interface HealthCheck {
  readonly name: string;
  /** Whether the role can't serve without it; what is not required is reported and no more. */
  readonly required: boolean;
  /** Never rejects for bad health; what it rejects with counts as bad health, without its text. */
  check(): Promise<HealthReport> | HealthReport;
}

export interface HealthReport {
  readonly healthy: boolean;
  /** For people; shown to anybody who can reach the listener. */
  readonly detail?: string;
}

export interface HealthOptions {
  readonly checks: readonly HealthCheck[];
  readonly checkTimeoutMs: number;
  readonly clock: Clock;
  readonly draining: () => boolean;
  /** `undefined` where a listener shows none. */
  readonly metrics: MetricsText | undefined;
}

/** The metrics in the text format that `contentType` names. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/**
 * `/healthz`: the process runs. `/readyz`: it can serve, 200 or 503, with each check's state; 503 while draining, so that
 * a load balancer looks elsewhere. `/metrics`.
 */
export function healthRoutes(options: HealthOptions): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
  });
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', async (context) => {
    const draining = options.draining();
    const states = await Promise.all(options.checks.map(async (check) => runCheck(check, options)));
    const ready = !draining && states.every((state) => state.healthy || !state.required);
    const status = draining ? 'draining' : ready ? 'ready' : 'not ready';
    return context.json({ status, checks: states }, ready ? 200 : 503);
  });
  const { metrics } = options;
  if (metrics !== undefined) {
    app.get('/metrics', async (context) =>
      context.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType }),
    );
  }
  return app;
}

interface CheckState extends HealthReport {
  readonly name: string;
  readonly required: boolean;
}

/** A check that hangs must not make the prober's own timeout speak for all of them. */
async function runCheck(check: HealthCheck, { checkTimeoutMs, clock }: HealthOptions): Promise<CheckState> {
  const { name, required } = check;
  const timeout = new AbortController();
  try {
    const report = await Promise.race([
      check.check(),
      clock
        .sleep(checkTimeoutMs, timeout.signal)
        .then(() => ({ healthy: false, detail: 'no answer in time' })),
    ]);
    return { name, required, ...report };
  } catch {
    return { name, required, healthy: false, detail: 'check failed' };
  } finally {
    timeout.abort();
  }
}
