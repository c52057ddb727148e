import { CommanderError } from 'commander';
import type { CliIo } from './cli-io.ts';
import { describeFailure } from './describe-failure.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { makeProgram } from './program.ts';
import { readVersion } from './read-version.ts';
import { UsageError } from './usage-error.ts';

/** Runs one command line (without node and script) to its end and gives the exit code. What fails is printed. */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const program = makeProgram(readVersion(), io, (ended) => void (code = ended));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return explain(error, args, io);
  }
}

/** Roles that the project plans: people who read about them should not look for a typing error. */
const laterCommands = ['hub', 'worker'];

function explain(error: unknown, args: readonly string[], io: CliIo): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok;
    if (error.code === 'commander.unknownCommand') io.stderr.write(unknownCommandHint(args));
    return exitCodes.usage;
  }
  if (error instanceof UsageError) {
    io.stderr.write(`wherry: ${error.message}\n`);
    return exitCodes.usage;
  }
  const problems = configProblems(error);
  if (problems !== undefined) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    io.stderr.write(
      `wherry: the configuration has ${count}:\n${problems.map((line) => `  ${line}\n`).join('')}`,
    );
    return exitCodes.usage;
  }
  io.stderr.write(`wherry: ${describeFailure(error)}\n`);
  return exitCodes.failure;
}

function unknownCommandHint(args: readonly string[]): string {
  const later = args.find((word) => laterCommands.includes(word));
  const hint = later === undefined ? '' : `"${later}" is not part of this version: an edge runs on its own. `;
  return `${hint}See wherry --help.\n`;
}

/** Known by its code and not by its class: the class would load the schema library with every command. */
function configProblems(error: unknown): readonly string[] | undefined {
  return error instanceof Error && 'code' in error && error.code === 'CONFIG_INVALID'
    ? error.message.split('\n')
    : undefined;
}
