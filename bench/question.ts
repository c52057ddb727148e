import type { Comparison } from './comparison.ts';

export interface BenchRun {
  /** Empty at the start and the question's own; removed after it. */
  readonly folder: string;
  readonly rounds: number;
  /** How long load is put on each contender in a round. */
  readonly loadSeconds: number;
  /** Shows progress. */
  readonly note: (text: string) => void;
}

/** One thing to find out. Fails when a contender answers with other bytes than it should. */
export interface Question {
  /** As given on the command line. */
  readonly name: string;
  run(bench: BenchRun): Promise<readonly Comparison[]>;
}
