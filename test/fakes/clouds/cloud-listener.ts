import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { FakeListener, type ListenerOptions } from '../fake-listener.ts';

export interface CloudRequest {
  readonly method: string;
  /** With its query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface CloudAnswer {
  readonly status: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, all else as JSON. */
  readonly body: unknown;
}

/** Reads whole requests, keeps them, and answers each with what `respond` makes of it. */
export function cloudListener(
  respond: (request: CloudRequest) => CloudAnswer,
  options: ListenerOptions = {},
): { readonly listener: FakeListener; readonly requests: CloudRequest[] } {
  const requests: CloudRequest[] = [];
  const listener = new FakeListener((incoming, response) => {
    const answer = async (): Promise<void> => {
      const { method = '', url: target = '', headers } = incoming;
      const request = { method, target, headers, body: await text(incoming) };
      requests.push(request);
      const { status, type = 'application/json', headers: fields = {}, body } = respond(request);
      response.writeHead(status, { 'content-type': type, ...fields });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    answer().catch(() => response.destroy());
  }, options);
  return { listener, requests };
}

/** The same request once more, with changes, to see what becomes of it. Header names in lower case. */
export async function sendAgain(
  origin: string,
  request: CloudRequest,
  changes: Partial<Omit<CloudRequest, 'headers'>> & {
    readonly headers?: Readonly<Record<string, string | undefined>>;
  },
): Promise<{ status: number; body: string }> {
  const { method, target, body } = { ...request, ...changes };
  const all = { ...request.headers, ...changes.headers };
  const dropped = new Set(['connection', 'content-length', 'host', 'transfer-encoding']);
  const headers = Object.entries(all).flatMap(([name, value]): [string, string][] =>
    value === undefined || dropped.has(name) ? [] : [[name, String(value)]],
  );
  const response = await fetch(new URL(target, origin), {
    method,
    headers,
    ...(method === 'GET' || method === 'HEAD' ? {} : { body }),
  });
  return { status: response.status, body: await response.text() };
}
