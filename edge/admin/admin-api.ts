import { Hono } from 'hono';
import { z } from 'zod';
import type { Logger, LogLevel } from '../../src/base/logger.ts';
import type { LogLevelSetting } from '../../src/protocol/admin-api.ts';
import type { AdminAccess } from './admin-access.ts';
import { adminGuard } from './admin-guard.ts';
import { answerError, RequestError } from './api-error.ts';
import { cacheRoutes, type CacheRoutesOptions } from './cache-routes.ts';
import { readBody } from './request-body.ts';
import { upstreamRoutes, type UpstreamRoutesOptions } from './upstream-routes.ts';
import { warmRoutes } from './warm-routes.ts';
import type { WarmRunOptions } from './warm-run.ts';

export interface AdminApiOptions
  extends CacheRoutesOptions, Omit<UpstreamRoutesOptions, 'inventory'>, WarmRunOptions {
  readonly access: AdminAccess;
  readonly setLogLevel: (level: LogLevel) => void;
  readonly logger: Logger;
}

const logLevelBody = z.object({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']) }).strict();

/** The API of the admin listener, to be mounted at `/api`. What it answers is described by `src/protocol/admin-api.ts`. */
export function adminApi(options: AdminApiOptions): Hono {
  const { logger, setLogLevel } = options;
  const app = new Hono();
  app.onError((error, context) => answerError(context, error, logger));
  app.use(adminGuard(options.access));
  app.use(async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
    if (context.req.method === 'GET') return;
    const { method, path } = context.req;
    logger.info('admin call', { method, path, status: context.res.status });
  });
  app.route('/', warmRoutes(options));
  app.route('/', cacheRoutes(options));
  app.route('/', upstreamRoutes(options));
  app.put('/log-level', async (context) => {
    const setting: LogLevelSetting = await readBody(context, logLevelBody);
    setLogLevel(setting.level);
    return context.json(setting);
  });
  app.all('*', (context) => {
    throw new RequestError('NOT_FOUND', `there is no ${context.req.method} ${context.req.path}`);
  });
  return app;
}
