import type { ExchangeHandler } from './exchange.ts';
import { parseRequestTarget } from './request-target.ts';

export interface DispatchTargets {
  /** Answers `/v2` and what is below it. */
  readonly registry: ExchangeHandler;
  /** Answers every other path. */
  readonly pages: ExchangeHandler;
}

/** Parts the registry protocol, which is the hot path, from all else. */
export function dispatch({ registry, pages }: DispatchTargets): ExchangeHandler {
  return (exchange) => {
    if (isRegistryTarget(exchange.request.url ?? '')) registry(exchange);
    else pages(exchange);
  };
}

function isRegistryTarget(url: string): boolean {
  if (url.startsWith('/v2/')) return true;
  const { path } = parseRequestTarget(url);
  return path === '/v2' || path.startsWith('/v2/');
}
