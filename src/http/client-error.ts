import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

const statusByCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers what node's parser refused, in the plainest form, and closes. Nothing is written where an answer is under way
 * (`answering`): the client would take it for a part of that.
 */
export function refuseClient(error: NodeJS.ErrnoException, socket: Duplex, answering: boolean): void {
  if (answering || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = statusByCode[error.code ?? ''] ?? 400;
  // Destroyed once the answer is flushed: a client that goes on sending must not keep a connection that nobody reads.
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    () => socket.destroy(),
  );
}
