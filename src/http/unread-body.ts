import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.ts';
import type { Exchange } from './exchange.ts';

/** A refused body of up to this size is read and thrown away, and the connection lives on. */
const maxDrainedBytes = 64 * 1024;

/** How much of a larger one is read, and for how long, while the client gets its answer. */
const maxLingerBytes = 1024 * 1024;
const maxLingerMs = 1000;

/**
 * Whether the request has a body that nobody has read and that is not worth reading to keep the connection: then the
 * answer must say `Connection: close` and end with `lingerThenEnd`.
 */
export function hasLargeUnreadBody(request: IncomingMessage): boolean {
  const { headers } = request;
  const contentLength = headers['content-length'];
  if (contentLength === undefined && headers['transfer-encoding'] === undefined) return false;
  return !request.complete && !(Number(contentLength) <= maxDrainedBytes && headers.expect === undefined);
}

/**
 * Ends an answer whose head and content were written while the client may still be sending. `node:http` would read all
 * that comes, 5 GB too; and a connection closed with bytes unread is reset, which can take the answer from the client
 * before it was read. So a little is read for a little while, then the connection is closed (RFC 9112, section 9.6).
 * A client that waits for `100 Continue` has sent nothing: it reads the answer at once.
 */
export function lingerThenEnd({ request, response }: Exchange, clock: Clock): void {
  if (request.headers.expect !== undefined) {
    response.end();
    return;
  }
  let read = 0;
  const end = (): void => {
    timer.cancel();
    request.off('data', count);
    response.end();
    response.socket?.destroySoon();
  };
  const count = (chunk: Buffer): void => {
    read += chunk.length;
    if (read >= maxLingerBytes) end();
  };
  const timer = clock.schedule(maxLingerMs, end);
  request.on('data', count);
  request.once('end', end);
  request.once('close', () => timer.cancel());
}
