import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogFields } from '../base/logger.ts';

/** One request and its answer, with what the log and the metrics want to know of it. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Unique among the processes of a deployment; also given to the client where something failed. */
  readonly id: string;
  /** Monotonic time at which the head of the request had come. */
  readonly startedMs: number;
  /** A name from a small fixed set: it becomes a metric's label. */
  route = 'unknown';
  log: LogFields | undefined;
  /** Bytes of the answer's body that were handed to the connection. */
  bytesSent = 0;

  constructor(request: IncomingMessage, response: ServerResponse, id: string, startedMs: number) {
    this.request = request;
    this.response = response;
    this.id = id;
    this.startedMs = startedMs;
  }
}

/** Answers a request. Never throws and leaves no promise behind: what fails is answered or ends the connection. */
export type ExchangeHandler = (exchange: Exchange) => void;
