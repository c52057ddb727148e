import { connect, type Socket } from 'node:net';
import { Hono } from 'hono';
import { ManualClock } from '../../base/manual-clock.ts';
import type { LogFields, Logger } from '../../base/logger.ts';
import { noMetrics, type Metrics } from '../../base/metrics.ts';
import { AnswerWriter } from '../answer-writer.ts';
import { dispatch } from '../dispatch.ts';
import { OpenExchanges } from '../open-exchanges.ts';
import { pagesListener } from '../pages-listener.ts';
import { registryListener } from '../registry-listener.ts';
import type { RegistryAnswer, RegistryRequest } from '../registry-service.ts';
import { RequestLog } from '../request-log.ts';
import { RequestMetrics } from '../request-metrics.ts';
import { serveHttp, type HttpServer, type ServeLimits } from '../serve.ts';
import type { TlsFiles } from '../tls-files.ts';
import { TransferBuffers } from '../transfer-buffers.ts';

export interface TestServerOptions {
  readonly handle: (request: RegistryRequest) => RegistryAnswer | Promise<RegistryAnswer>;
  readonly limits?: Partial<ServeLimits>;
  readonly metrics?: Metrics;
  readonly app?: Hono;
  readonly tls?: TlsFiles;
  readonly port?: number;
}

export interface TestServer extends HttpServer, AsyncDisposable {
  readonly clock: ManualClock;
  readonly buffers: TransferBuffers;
  readonly exchanges: OpenExchanges;
  /** Lines of the access log. */
  readonly accessLog: RecordedLog;
  /** What the listener itself had to say. */
  readonly log: RecordedLog;
  /** Sends raw text on a connection of its own and resolves with all that comes until the server closes it. */
  exchange(text: string): Promise<string>;
  connect(): Socket;
}

/** The whole HTTP stack over a service made of one function, on a free port, with a clock that stands still. */
export async function startTestServer(options: TestServerOptions): Promise<TestServer> {
  const clock = new ManualClock();
  const buffers = new TransferBuffers(4 * 1024 * 1024);
  const [accessLog, log] = [new RecordedLog(), new RecordedLog()];
  let requests = 0;
  const exchanges = new OpenExchanges({
    log: new RequestLog(accessLog),
    metrics: new RequestMetrics(options.metrics ?? noMetrics, 'test'),
    clock,
    nextRequestId: () => `r${(requests += 1)}`,
  });
  const writer = new AnswerWriter({ buffers, clock, logger: log });
  const registry = registryListener({ service: { handle: options.handle }, writer });
  const server = await serveHttp({
    name: 'test',
    host: '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls,
    handler: dispatch({ registry, pages: pagesListener(options.app ?? new Hono(), log) }),
    exchanges,
    limits: { ...generousLimits, ...options.limits },
    clock,
    logger: log,
  });
  const open = (): Socket => connect(server.port, '127.0.0.1');
  return {
    ...server,
    clock,
    buffers,
    exchanges,
    accessLog,
    log,
    connect: open,
    exchange: async (text) => {
      const socket = open();
      socket.write(text, 'latin1');
      return readToEnd(socket);
    },
    [Symbol.asyncDispose]: async () => {
      const closed = server.close(0);
      await clock.advance(1);
      await closed;
    },
  };
}

const generousLimits: ServeLimits = {
  headersTimeoutMs: 15_000,
  keepAliveTimeoutMs: 60_000,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 1000,
  maxConnectionsPerAddress: 1000,
  clientStallTimeoutMs: 60_000,
};

/** All that a connection delivers, also when it ends in a reset. */
export async function readToEnd(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

export interface RecordedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps its lines, and lets a test wait for one. */
export class RecordedLog implements Logger {
  readonly lines: RecordedLine[] = [];
  #waiting: (() => void) | undefined;

  debug(message: string, fields?: LogFields): void {
    this.#add('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#add('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#add('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#add('error', message, fields);
  }

  child(): Logger {
    return this;
  }

  /** Resolves with the line of this index, now or when it comes. */
  async line(index: number): Promise<RecordedLine> {
    for (;;) {
      const line = this.lines[index];
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  #add(level: string, message: string, fields: LogFields = {}): void {
    this.lines.push({ level, message, fields });
    this.#waiting?.();
  }
}
