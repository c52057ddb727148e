import { OciError } from '../oci/error.ts';
import { parseRoute, type Route } from '../oci/route.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { surviveWaiting } from './client-stall.ts';
import type { Exchange, ExchangeHandler } from './exchange.ts';
import { IncomingRegistryRequest } from './incoming-registry-request.ts';
import type { RegistryService } from './registry-service.ts';
import { parseRequestTarget } from './request-target.ts';

const read = ['GET', 'HEAD'] as const;

/** The methods that distribution-spec gives each endpoint; whether a write is allowed is for the service to say. */
const methodsByRoute: Readonly<Record<Route['kind'], readonly string[]>> = {
  base: read,
  catalog: read,
  manifest: [...read, 'PUT', 'DELETE'],
  blob: [...read, 'DELETE'],
  'upload-start': ['POST'],
  upload: ['GET', 'PATCH', 'PUT', 'DELETE'],
  tags: read,
  referrers: read,
};

export interface RegistryListenerOptions {
  readonly service: RegistryService;
  readonly writer: AnswerWriter;
}

/** Answers everything under `/v2`. A service that answers synchronously is sent synchronously. */
export function registryListener({ service, writer }: RegistryListenerOptions): ExchangeHandler {
  return (exchange) => {
    try {
      const answer = service.handle(readRequest(exchange));
      if (!(answer instanceof Promise)) {
        writer.write(exchange, answer);
        return;
      }
      surviveWaiting(exchange.response);
      answer.then(
        (settled) => writer.write(exchange, settled),
        (error: unknown) => writer.fail(exchange, error),
      );
    } catch (error) {
      writer.fail(exchange, error);
    }
  };
}

function readRequest(exchange: Exchange): IncomingRegistryRequest {
  const { method = '', url = '' } = exchange.request;
  const { path, query } = parseRequestTarget(url);
  const route = parseRoute(path);
  if (route === undefined) throw new OciError(isWellFormed(path) ? 'NAME_UNKNOWN' : 'NAME_INVALID');
  exchange.route = route.kind;
  const methods = methodsByRoute[route.kind];
  if (!methods.includes(method))
    throw new OciError('UNSUPPORTED', { headers: { Allow: methods.join(', ') } });
  return new IncomingRegistryRequest(exchange, { route, query });
}

/** The characters that endpoints, names, tags, digests and upload sessions are made of, without empty or dot segments. */
const wellFormed = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.:~=+-]+)+\/?$/;

function isWellFormed(path: string): boolean {
  return wellFormed.test(path);
}
