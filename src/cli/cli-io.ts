import type { Writable } from 'node:stream';

/** Where a command writes, and how it hears that it should stop. */
export interface CliIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Calls `listener` for each SIGINT and SIGTERM, which then no longer end the process; the answer takes it off again. */
  onStopSignal(listener: (signal: string) => void): () => void;
}

export function processCliIo(): CliIo {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    onStopSignal: (listener) => {
      process.on('SIGINT', listener);
      process.on('SIGTERM', listener);
      return () => {
        process.off('SIGINT', listener);
        process.off('SIGTERM', listener);
      };
    },
  };
}
