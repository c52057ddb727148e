import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * `node:http` destroys a connection on which nothing moved for the server's `timeout`. That is right while the client
 * owes us something, and wrong while it waits for us: an answer that may take long to begin or to go on calls this, and
 * then only a client that does not take what was written is cut off. Again for the same answer it does nothing.
 */
export function surviveWaiting(response: ServerResponse): void {
  if (response.listenerCount('timeout') > 0) return;
  response.on('timeout', (socket: Socket) => {
    if (socket.writableLength > 0) socket.destroy();
    else socket.setTimeout(socket.timeout ?? 0);
  });
}
