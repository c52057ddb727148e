import type { Logger } from '../base/logger.ts';
import { blobResponse } from './blob-response.ts';
import { BlobSender } from './blob-sender.ts';
import { surviveWaiting } from './client-stall.ts';
import { matchesEntityTag } from './entity-tag.ts';
import { errorResponse } from './error-response.ts';
import type { Exchange } from './exchange.ts';
import type { BlobContent, RegistryAnswer } from './registry-service.ts';
import { ClientGoneError } from './response-sink.ts';
import type { PumpOptions } from './source-pump.ts';
import { hasLargeUnreadBody, lingerThenEnd } from './unread-body.ts';

export interface AnswerWriterOptions extends PumpOptions {
  readonly logger: Logger;
}

type Headers = Readonly<Record<string, string>>;

/** Puts a service's answers and failures on the wire. Nothing of it throws, and no promise is left to the caller. */
export class AnswerWriter {
  readonly #options: AnswerWriterOptions;
  readonly #logger: Logger;

  constructor(options: AnswerWriterOptions) {
    this.#options = options;
    this.#logger = options.logger;
  }

  write(exchange: Exchange, answer: RegistryAnswer): void {
    if (answer.log !== undefined) exchange.log = answer.log;
    const { body } = answer;
    try {
      switch (body.kind) {
        case 'empty':
          this.#writeEmpty(exchange, answer);
          break;
        case 'bytes':
          this.#writeBytes(exchange, answer, body.bytes);
          break;
        case 'blob':
          this.#writeBlob(exchange, answer.headers, body.content);
          break;
      }
    } catch (error) {
      this.fail(exchange, error);
    }
  }

  /** Answers with an error while that is possible; where part of the answer has left, cuts the connection. */
  fail(exchange: Exchange, error: unknown): void {
    const { response, id } = exchange;
    if (response.destroyed) {
      // Nobody is there to be answered. What the client's leaving broke is no fault; anything else is worth a look.
      this.#logger.debug('request failed after its client left', { requestId: id, error });
      return;
    }
    if (response.headersSent) {
      this.#logger.error('answer broken off', { requestId: id, url: exchange.request.url, error });
      response.destroy();
      return;
    }
    const answer = errorResponse(error, { requestId: id, logger: this.#logger });
    exchange.log = { ...exchange.log, ...answer.log };
    const bytes = answer.body.kind === 'bytes' ? answer.body.bytes : new Uint8Array();
    if (exchange.request.method === 'HEAD')
      this.#end(exchange, answer.status, flatten(answer.headers, undefined));
    else this.#end(exchange, answer.status, flatten(answer.headers, bytes.length), bytes);
  }

  #writeEmpty(exchange: Exchange, { status, headers }: RegistryAnswer): void {
    const contentLength = status === 204 || status === 304 ? undefined : 0;
    this.#end(exchange, status, flatten(headers, contentLength));
  }

  #writeBytes(exchange: Exchange, { status, headers }: RegistryAnswer, bytes: Uint8Array): void {
    const { request } = exchange;
    const ifNoneMatch = request.headers['if-none-match'];
    const entityTag = headers['ETag'];
    if (ifNoneMatch !== undefined && entityTag !== undefined && status === 200) {
      if (matchesEntityTag(ifNoneMatch, entityTag)) {
        this.#end(exchange, 304, flatten(headers, undefined));
        return;
      }
    }
    const head = flatten(headers, bytes.length);
    if (request.method === 'HEAD') this.#end(exchange, status, head);
    else this.#end(exchange, status, head, bytes);
  }

  #writeBlob(exchange: Exchange, headers: Headers, content: BlobContent): void {
    const { request, response } = exchange;
    const method = request.method ?? '';
    const planned = blobResponse({ method, headers: request.headers }, content, headers);
    const head = flatten(planned.headers, planned.contentLength);
    if (planned.parts.length === 0) {
      this.#end(exchange, planned.status, head);
      return;
    }
    const writeHead = (): void => {
      if (hasLargeUnreadBody(request)) response.shouldKeepAlive = false;
      response.writeHead(planned.status, head);
    };
    surviveWaiting(response);
    const sender = new BlobSender(exchange, content, { ...this.#options, writeHead });
    sender.send(planned).catch((error: unknown) => {
      if (!(error instanceof ClientGoneError)) this.fail(exchange, error);
    });
  }

  /** Head and content leave in one write. */
  #end(exchange: Exchange, status: number, head: string[], content?: Uint8Array): void {
    const { request, response } = exchange;
    if (content !== undefined) exchange.bytesSent = content.length;
    if (!hasLargeUnreadBody(request)) {
      response.writeHead(status, head);
      if (content !== undefined && content.length <= maxTextBytes) response.end(latin1(content), 'latin1');
      else response.end(content);
      return;
    }
    response.shouldKeepAlive = false;
    response.writeHead(status, head);
    if (content === undefined) response.flushHeaders();
    else response.write(content);
    lingerThenEnd(exchange, this.#options.clock);
  }
}

/**
 * node joins a head with text to one string, and with bytes to a vectored write, which costs a warm manifest a sixth of
 * its time. Latin-1 keeps each byte as it is.
 */
const maxTextBytes = 16 * 1024;

function latin1(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1');
}

/** Name and value by turns, the form that `writeHead` takes without copying. */
function flatten(headers: Headers, contentLength: number | undefined): string[] {
  const flat = ['Docker-Distribution-API-Version', 'registry/2.0'];
  for (const name of Object.keys(headers)) flat.push(name, headers[name] ?? '');
  if (contentLength !== undefined) flat.push('Content-Length', String(contentLength));
  return flat;
}
