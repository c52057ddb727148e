import { Argument, type Command } from 'commander';
import type { LogLevelSetting } from '../../protocol/admin-api.ts';
import type { CliIo } from '../cli-io.ts';
import type { ExitCode } from '../exit-code.ts';
import { addCacheCommands, type MakeContext } from './cache-commands.ts';
import { ctlContext, printJson } from './ctl-context.ts';
import { addUpstreamCommands } from './upstream-commands.ts';
import { addWarmCommand } from './warm-command.ts';

/** `ctl`: the administrator's commands, over the admin listener of a running edge. */
export function addCtlCommand(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  const ctl = program
    .command('ctl')
    .summary('look after a running edge: its cache, its upstreams, its log')
    .description('Talks to the admin listener of a running edge.')
    .option('--admin <url>', 'the admin listener', 'http://127.0.0.1:5002')
    .option('--token-file <file>', 'file with the admin token, where the listener wants one')
    .option('--json', 'print JSON for scripts instead of tables')
    .addHelpText(
      'after',
      `
Examples:
  wherry ctl cache ls --repository library
  wherry ctl cache show alpine:3.20
  wherry ctl cache warm -f images.txt --platform linux/amd64
  wherry ctl cache pin ghcr.io/owner/app:1.4 --for 30d
  wherry ctl cache rm --all ghcr.io/owner/app
  wherry ctl upstream test docker.io
  wherry ctl log-level debug

Images are named as for docker pull: alpine is docker.io/library/alpine:latest.
Exit codes: 0 ok, 1 the edge refused or something failed, 2 bad usage.`,
    );
  const make: MakeContext = (command) => ctlContext(command, io, done);
  addWarmCommand(addCacheCommands(ctl, make), make);
  addUpstreamCommands(ctl, make);
  ctl
    .command('log-level')
    .summary('change how much the edge logs')
    .description('Changes how much the running edge logs, until it is started again.')
    .addArgument(new Argument('<level>').choices(['debug', 'info', 'warn', 'error', 'silent']))
    .action(async (level: LogLevelSetting['level'], _: object, command: Command) => {
      const context = make(command);
      const setting = await context.client.call<LogLevelSetting>('PUT', '/log-level', { level });
      if (context.json) printJson(context, setting);
      else io.stdout.write(`the edge logs ${setting.level} and above until it is started again\n`);
    });
}
