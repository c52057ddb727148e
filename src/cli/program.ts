import { Command } from 'commander';
import { addCheckConfigCommand } from './check-config-command.ts';
import type { CliIo } from './cli-io.ts';
import { addClientConfigCommand } from './client-config-command.ts';
import { addCtlCommand } from './ctl/ctl-command.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { addEdgeCommand } from './edge-command.ts';
import type { ExitCode } from './exit-code.ts';
import { addHealthCommand } from './health-command.ts';
import { addUpCommand } from './up-command.ts';

/** The command line. Throws CommanderError instead of ending the process; `done` gets the code of a role that ended. */
export function makeProgram(version: string, io: CliIo, done: (code: ExitCode) => void): Command {
  const program = new Command('wherry')
    .description('Wherry caches container images near the machines that pull them.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help, also for a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    })
    .addHelpText(
      'after',
      `
First steps:
  wherry up                                             run an edge on 127.0.0.1:5000
  wherry client-config docker --edge http://HOST:5000   what to tell Docker
  wherry edge --help                                    what can be set, and where
  wherry ctl --help                                     look after a running edge
  wherry doctor                                         what would keep an edge from working here

Exit codes: 0 ok, 1 failure, 2 bad usage or configuration.`,
    );
  addUpCommand(program, io, done);
  addEdgeCommand(program, io, done);
  addClientConfigCommand(program, io);
  addCheckConfigCommand(program, io);
  addCtlCommand(program, io, done);
  addDoctorCommand(program, io, done);
  addHealthCommand(program, io, done);
  return program;
}
