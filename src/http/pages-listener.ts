import { getRequestListener, RequestError } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Logger } from '../base/logger.ts';
import { surviveWaiting } from './client-stall.ts';
import type { Exchange, ExchangeHandler } from './exchange.ts';

/** Answers through a Hono app what is not the registry protocol: health, metrics, pages, REST. */
export function pagesListener(app: Hono, logger: Logger): ExchangeHandler {
  app.onError((error, context) => {
    logger.error('page failed', { path: context.req.path, error });
    return context.text('internal error', 500);
  });
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      // A target or a host that makes no URL, such as `GET *`: the client's fault, and nothing to log.
      if (error instanceof RequestError) return new Response(null, { status: 400 });
      logger.error('page failed', { error });
      return new Response('internal error', { status: 500 });
    },
  });
  return (exchange) => {
    const { request, response } = exchange;
    exchange.route = 'page';
    surviveWaiting(response);
    const before = request.socket.bytesWritten;
    response.once('finish', () => {
      exchange.bytesSent = request.socket.bytesWritten - before;
    });
    listener(request, response).catch((error: unknown) => cutOff(exchange, error, logger));
  };
}

function cutOff({ request, response }: Exchange, error: unknown, logger: Logger): void {
  logger.error('page failed', { url: request.url, error });
  response.destroy();
}
