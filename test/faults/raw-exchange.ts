import { connect } from 'node:net';

export interface RawAnswer {
  /** Of the first answer; `undefined` when the connection was closed without one. */
  readonly status: number | undefined;
  readonly text: string;
  /** The server still had not closed the connection when patience ended. */
  readonly hung: boolean;
}

const patienceMs = 30_000;
const maxAnswerBytes = 1024 * 1024;

/** An edge that soon gives up on a connection where nothing more comes, so that waiting for that is bearable. */
export const impatient = { headersTimeout: '500ms', keepAlive: '200ms', clientStall: '1s' } as const;

/** Writes bytes as they are, keeps the connection open, and reads until the server closes it. */
export async function rawExchange(port: number, bytes: Uint8Array): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  let hung = false;
  await new Promise<void>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(bytes));
    socket.setTimeout(patienceMs, () => {
      hung = true;
      socket.destroy();
    });
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxAnswerBytes) socket.destroy();
    });
    // A server that has seen enough may reset; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
  const text = Buffer.concat(chunks).toString('latin1');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  return { status: status === undefined ? undefined : Number(status), text, hung };
}

/** Every status line in the order the answers came: pipelined requests have several. */
export function statusLines(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
