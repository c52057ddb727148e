import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes wrong with one answer. Positions and lengths are of the body that is sent. */
export interface FakeFault {
  /** Answers with this and with nothing else. */
  readonly answer?: { status: number; headers?: Record<string, string>; body?: string };
  /** Drops the connection before a header is sent. */
  readonly reset?: boolean;
  /** Sends no header before this resolves. */
  readonly headersAfter?: Promise<void>;
  /** Drops the connection after so many bytes. */
  readonly cutAfter?: number;
  /** Ends normally after so many bytes, with a Content-Length to match. */
  readonly truncateTo?: number;
  /** Sends so many bytes more, and announces them. */
  readonly extraBytes?: number;
  /** Flips the byte at this place. */
  readonly wrongByteAt?: number;
  /** Sends nothing more after so many bytes, and keeps the connection. */
  readonly stallAfter?: number;
  readonly bytesPerSecond?: number;
  readonly ignoreRange?: boolean;
  /** Answers a range with the one behind it. */
  readonly wrongRange?: boolean;
  /** Without Content-Length, in chunked encoding. */
  readonly chunked?: boolean;
  /** Header fields to add or replace; `undefined` removes. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Answers 307 to this origin, with the same path. */
  readonly redirectTo?: string;
}

const sliceBytes = 64 * 1024;

/** The bytes as the fault leaves them. */
export function spoil(body: Uint8Array, fault: FakeFault): Uint8Array {
  let bytes = body;
  if (fault.truncateTo !== undefined) bytes = bytes.subarray(0, fault.truncateTo);
  if (fault.extraBytes !== undefined) bytes = Buffer.concat([bytes, Buffer.alloc(fault.extraBytes, 0x2e)]);
  if (fault.wrongByteAt !== undefined && fault.wrongByteAt < bytes.length) {
    bytes = Buffer.from(bytes);
    bytes[fault.wrongByteAt] = (bytes[fault.wrongByteAt] ?? 0) ^ 0xff;
  }
  return bytes;
}

/** Sends at the reader's pace; counts what was handed to the socket. */
export async function sendBody(
  response: ServerResponse,
  body: Uint8Array,
  fault: FakeFault,
  onSent: (bytes: number) => void,
): Promise<void> {
  const stop = Math.min(body.length, fault.cutAfter ?? Infinity, fault.stallAfter ?? Infinity);
  const step =
    fault.bytesPerSecond === undefined ? sliceBytes : Math.max(1, Math.floor(fault.bytesPerSecond / 20));
  for (let at = 0; at < stop && !response.destroyed; at += step) {
    const slice = body.subarray(at, Math.min(stop, at + step));
    onSent(slice.length);
    if (!response.write(slice)) await drained(response);
    if (fault.bytesPerSecond !== undefined) await sleep(50);
  }
  if (fault.cutAfter !== undefined && fault.cutAfter <= body.length) {
    // Let what was written reach the other side before the connection goes.
    await sleep(20);
    response.destroy();
  } else if (fault.stallAfter === undefined || fault.stallAfter >= body.length) {
    response.end();
  }
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
  });
}
