import { Hono } from 'hono';
import type { EdgeStatus } from './edge-status.ts';
import { statusPage } from './status-page.ts';

/** The page's own style and nothing else: it loads, runs and submits nothing. */
const contentSecurityPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `/` for people, `/status.json` for programs. */
export function statusRoutes(report: () => EdgeStatus): Hono {
  const app = new Hono();
  app.get('/', async (context) => {
    context.header('Content-Security-Policy', contentSecurityPolicy);
    context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
    return context.html(await statusPage(report()));
  });
  app.get('/status.json', (context) => {
    context.header('Cache-Control', 'no-store');
    return context.json(report());
  });
  return app;
}
