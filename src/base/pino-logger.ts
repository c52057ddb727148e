import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { pino } from 'pino';
import { systemClock, type Clock } from './clock.ts';
import { errorFields } from './error-fields.ts';
import type { LogFields, Logger, LogLevel } from './logger.ts';

export interface PinoLoggerOptions {
  readonly level: LogLevel;
  readonly destination: 'stdout' | 'stderr' | { readonly file: string };
  readonly clock?: Clock;
}

/** Readable by its owner and group alone: log lines name people and what they pull. */
const fileMode = 0o640;
/** Lines are gathered up to this length ... */
const minWriteBytes = 4_096;
/** ... or for so long, so that a quiet node's lines appear too. */
const flushEveryMs = 1_000;
/** One write takes at most so much of what has gathered while the one before it was under way. */
const maxWriteBytes = 64 * 1_024;
/** What a sink that is slow or full may hold up in memory; lines beyond it are dropped and counted. */
const maxBufferedBytes = 8 * 1_024 * 1_024;

const severity: Readonly<Record<LogLevel, number>> = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  silent: 100,
};

/** How long closing waits for a sink that takes no more bytes. */
const closeWithinMs = 5_000;

interface Sink {
  severity: number;
  closed: boolean;
}

/** A Logger on pino. What it adds to the port concerns the sink, which all children share. */
export interface PinoLogger extends Logger {
  /** Takes effect for all children at once. */
  setLevel(level: LogLevel): void;
  /** Resolves when the lines so far were handed to the sink. Fails with the sink's error. */
  flush(): Promise<void>;
  /** Writes the rest and closes the sink; lines that come later are dropped. Never fails: there is no one to tell. */
  close(): Promise<void>;
  /** Opens the file anew under its name, after it was rotated away. Does nothing for stdout and stderr. */
  reopen(): void;
}

/**
 * Writes lines in the background. Fails, synchronously and with the system's error, when the file cannot be opened.
 * Fields called `headers` are left out of every line: a habit of passing whole requests must not leak credentials.
 */
export function createPinoLogger(options: PinoLoggerOptions): PinoLogger {
  const { destination } = options;
  const clock = options.clock ?? systemClock;
  const sink: Sink = { severity: severity[options.level], closed: false };
  const stream = openStream(destination);
  const omit = (): undefined => undefined;
  const root = pino(
    {
      level: 'debug',
      base: null,
      timestamp: isoTimestamps(clock),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: errorFields, err: errorFields, headers: omit, rawHeaders: omit },
    },
    stream,
  );
  const logger = new PinoBackedLogger(root, sink);
  reportLosses(stream, logger);
  return Object.assign(logger, {
    setLevel: (level: LogLevel): void => {
      sink.severity = severity[level];
    },
    flush: () => flushStream(stream),
    close: async (): Promise<void> => {
      if (sink.closed) return;
      sink.closed = true;
      await closeStream(stream, clock);
    },
    reopen: (): void => {
      if (typeof destination === 'object' && !sink.closed) stream.reopen();
    },
  });
}

class PinoBackedLogger implements Logger {
  readonly #pino: pino.Logger;
  readonly #sink: Sink;

  constructor(backing: pino.Logger, sink: Sink) {
    this.#pino = backing;
    this.#sink = sink;
  }

  debug(message: string, fields?: LogFields): void {
    if (this.#admits(severity.debug)) this.#pino.debug(fields, message);
  }

  info(message: string, fields?: LogFields): void {
    if (this.#admits(severity.info)) this.#pino.info(fields, message);
  }

  warn(message: string, fields?: LogFields): void {
    if (this.#admits(severity.warn)) this.#pino.warn(fields, message);
  }

  error(message: string, fields?: LogFields): void {
    if (this.#admits(severity.error)) this.#pino.error(fields, message);
  }

  child(fields: LogFields): Logger {
    return new PinoBackedLogger(this.#pino.child({ ...fields }), this.#sink);
  }

  #admits(wanted: number): boolean {
    return wanted >= this.#sink.severity && !this.#sink.closed;
  }
}

type Stream = ReturnType<typeof pino.destination>;

function openStream(destination: PinoLoggerOptions['destination']): Stream {
  if (typeof destination === 'object') {
    // The stream opens in the background, where nobody could be told; so the same is tried here first.
    mkdirSync(dirname(destination.file), { recursive: true });
    closeSync(openSync(destination.file, 'a', fileMode));
  }
  return pino.destination({
    dest: typeof destination === 'object' ? destination.file : destination === 'stdout' ? 1 : 2,
    sync: false,
    mode: fileMode,
    minLength: minWriteBytes,
    maxWrite: maxWriteBytes,
    periodicFlush: flushEveryMs,
    maxLength: maxBufferedBytes,
  });
}

/** Formatting the time costs more than the rest of a short line, and busy nodes write many lines a millisecond. */
function isoTimestamps(clock: Clock): () => string {
  let formattedMs = Number.NaN;
  let formatted = '';
  return () => {
    const nowMs = clock.nowMs();
    if (nowMs !== formattedMs) {
      formattedMs = nowMs;
      formatted = `,"time":"${new Date(nowMs).toISOString()}"`;
    }
    return formatted;
  };
}

/**
 * A full disk must neither stop the node nor go unnoticed: stderr hears of it once, the log itself when it is over.
 * Nor must it keep the process from ending: what the stream does at exit tries again for ever on such errors, so that is
 * taken from it while writing fails.
 */
function reportLosses(stream: Stream, logger: Logger): void {
  const flushAtExit = stream.flushSync.bind(stream);
  let failing = false;
  let dropped = 0;
  stream.on('error', (error) => {
    if (failing) return;
    failing = true;
    stream.flushSync = () => undefined;
    process.stderr.write(
      `${JSON.stringify({ level: 'error', msg: 'log cannot be written', error: errorFields(error) })}\n`,
    );
  });
  stream.on('drop', () => {
    dropped += 1;
  });
  stream.on('drain', () => {
    if (failing) stream.flushSync = flushAtExit;
    failing = false;
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    logger.error('log lines were dropped while the log could not be written', { lines });
  });
}

/** Sinks that cannot be synced (pipes, terminals) have taken the lines all the same. */
const unsyncable = new Set(['EINVAL', 'ENOTSUP', 'EROFS']);

async function flushStream(stream: Stream): Promise<void> {
  const flushed = Promise.withResolvers<void>();
  stream.flush((error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof Error && !unsyncable.has(code)) flushed.reject(error);
    else flushed.resolve();
  });
  await flushed.promise;
}

/**
 * An error ends the wait as well: the stream never says `close` after one. It was reported when it happened. After a
 * broken pipe pino makes the stream deaf, so that nothing at all would be heard; hence the limit.
 */
async function closeStream(stream: Stream, clock: Clock): Promise<void> {
  const closed = Promise.withResolvers<void>();
  stream.once('close', closed.resolve);
  stream.once('error', () => closed.resolve());
  const limit = clock.schedule(closeWithinMs, closed.resolve);
  stream.end();
  await closed.promise;
  limit.cancel();
}
