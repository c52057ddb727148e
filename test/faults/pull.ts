import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Pulled {
  /** 0: the connection ended before an answer began. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body ended as its framing says. A client takes only such a body for what it asked for. */
  readonly complete: boolean;
}

export interface PullOptions {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: OutgoingHttpHeaders;
  /** Hangs up after so many bytes of the body; 0: once the headers are there. */
  readonly hangUpAfter?: number;
  /** Reads no faster than this. */
  readonly bytesPerSecond?: number;
  /** Told once the request is on its way. */
  readonly onSent?: () => void;
  readonly onBytes?: (total: number) => void;
}

/** One request on a connection of its own, as a client without any patience for errors would make it. */
export async function pull(url: string, options: PullOptions = {}): Promise<Pulled> {
  const { method = 'GET', headers = {} } = options;
  const request = http.request(url, { method, headers, agent: false });
  request.once('finish', () => options.onSent?.());
  request.end();
  let response: IncomingMessage;
  try {
    [response] = (await once(request, 'response')) as [IncomingMessage];
  } catch {
    // Refused, reset, or hung up by the other side: all one to the caller.
    return { status: 0, headers: {}, bytes: Buffer.alloc(0), complete: false };
  }
  const { statusCode = 0 } = response;
  const bytes = await readBody(response, options);
  return { status: statusCode, headers: response.headers, bytes, complete: response.complete };
}

async function readBody(response: IncomingMessage, options: PullOptions): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  const limit = options.hangUpAfter ?? Infinity;
  try {
    if (limit > 0) {
      for await (const chunk of response) {
        chunks.push(chunk as Buffer);
        total += (chunk as Buffer).length;
        options.onBytes?.(total);
        if (total >= limit) break;
        if (options.bytesPerSecond !== undefined)
          await sleep(((chunk as Buffer).length / options.bytesPerSecond) * 1000);
      }
    }
  } catch {
    // `complete` tells.
  }
  response.destroy();
  return Buffer.concat(chunks);
}
