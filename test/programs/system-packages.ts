import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { findProgram, packageOf, type SystemProgram } from './system-program.ts';

/** Debian's `busybox` needs libraries that an image of that one file lacks; only `busybox-static` can run in it. */
function usable(program: SystemProgram): boolean {
  const file = findProgram(program);
  if (file === undefined) return false;
  return program !== 'busybox' || !readFileSync(file).subarray(0, 4_096).includes('ld-linux');
}

/** Why the suite can't run here, in words that say what to do; `undefined` when it can. */
function obstacle(programs: readonly SystemProgram[], needsRoot: boolean): string | undefined {
  const missing = new Set(
    programs.filter((program) => !usable(program)).map((program) => packageOf[program]),
  );
  if (missing.size > 0) return `needs the Debian packages: ${[...missing].join(' ')}`;
  if (needsRoot && process.getuid?.() !== 0) return 'needs root, to make namespaces and mounts';
  return undefined;
}

export interface SuiteNeeds {
  readonly programs: readonly SystemProgram[];
  readonly root?: boolean;
}

/**
 * `describe` for a suite that drives programs of the machine: one skipped test, saying why, where one is missing; a failure
 * instead where WHERRY_REQUIRE_SYSTEM=1 promises that all are there.
 */
export function describeWithPrograms(title: string, needs: SuiteNeeds, body: () => void): void {
  const reason = obstacle(needs.programs, needs.root ?? false);
  if (reason === undefined) {
    describe(title, body);
  } else if (process.env['WHERRY_REQUIRE_SYSTEM'] === '1') {
    test(title, () => {
      throw new Error(`${title}: ${reason}`);
    });
  } else {
    console.warn(`skipped: ${title}: ${reason}`);
    // The body is left alone: building what the suite needs may already take a program that is missing.
    test.skip(`${title} (${reason})`);
  }
}
