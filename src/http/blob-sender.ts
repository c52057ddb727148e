import assert from 'node:assert/strict';
import type { ByteSource } from '../blob/byte-source.ts';
import type { BlobPart, BlobResponse } from './blob-response.ts';
import type { Exchange } from './exchange.ts';
import type { BlobContent } from './registry-service.ts';
import { ClientGoneError, ResponseSink } from './response-sink.ts';
import { pumpSource, ShortSourceError, type PumpOptions } from './source-pump.ts';
import { smallBufferBytes } from './transfer-buffers.ts';

/**
 * Sends the bytes that `response` calls for. The head leaves with the first bytes, so that a source that fails before
 * them can still be answered with an error: what this rejects with says so by `headersSent`.
 * When the client goes away the open source is closed at once and this rejects with ClientGoneError.
 */
export class BlobSender {
  readonly #exchange: Exchange;
  readonly #content: BlobContent;
  readonly #pump: PumpOptions;
  readonly #sink: ResponseSink;
  #open: ByteSource | undefined;

  constructor(
    exchange: Exchange,
    content: BlobContent,
    options: PumpOptions & { readonly writeHead: () => void },
  ) {
    this.#exchange = exchange;
    this.#content = content;
    this.#pump = options;
    this.#sink = new ResponseSink(exchange, options.writeHead);
  }

  async send(response: BlobResponse): Promise<void> {
    const { parts, tail } = response;
    const { response: outgoing } = this.#exchange;
    // Only makes a pending read fail; #sendPart closes it as well, and hears of what goes wrong in that.
    const stop = (): void => void this.#open?.close().catch(() => undefined);
    const finish = async (): Promise<void> => {
      if (tail !== undefined) await this.#sink.write(tail);
      outgoing.end();
    };
    outgoing.once('close', stop);
    try {
      const last = parts.at(-1);
      for (const part of parts) await this.#sendPart(part, part === last ? finish : undefined);
    } catch (error) {
      // Whatever the source says then, it was closed under its reader.
      if (outgoing.destroyed) throw new ClientGoneError('connection closed', { cause: error });
      throw error;
    } finally {
      outgoing.off('close', stop);
    }
  }

  /**
   * `finish` ends the answer before the source is closed: a client that leaves with all its bytes in that time would count
   * as one that gave up.
   */
  async #sendPart(part: BlobPart, finish: (() => Promise<void>) | undefined): Promise<void> {
    const source = await this.#content.open(part.wanted);
    this.#open = source;
    try {
      if (this.#exchange.response.destroyed) throw new ClientGoneError('connection closed');
      assert.equal(source.length, part.length, 'a source must be as long as the bytes asked for');
      if (part.head !== undefined) await this.#sink.write(part.head);
      if (part.length > smallBufferBytes) await pumpSource(source, this.#sink, this.#pump);
      else await this.#sink.write(await readWhole(source));
      await finish?.();
    } finally {
      this.#open = undefined;
      await source.close();
    }
  }
}

async function readWhole(source: ByteSource): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(source.length);
  for (let filled = 0; filled < bytes.length;) {
    const count = await source.read(bytes.subarray(filled));
    if (count === 0)
      throw new ShortSourceError(`${bytes.length - filled} of ${bytes.length} bytes are missing`);
    filled += count;
  }
  return bytes;
}
