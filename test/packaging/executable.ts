import path from 'node:path';
import { npm, projectRoot } from './project.ts';

let built: Promise<string> | undefined;

/** Builds the single-file executable, once in a run of a suite, and returns where it is. */
export function buildExecutable(): Promise<string> {
  built ??= npm(['run', 'build:executable']).then(({ stdout }) => {
    console.log(stdout.trim());
    return path.join(projectRoot, 'build/executable/wherry');
  });
  return built;
}

/** Words that run `program` with nothing of this process's environment, on a path without any program. */
export function alone(program: string): [string, ...string[]] {
  return ['/usr/bin/env', '-i', 'PATH=/nonexistent', program];
}
