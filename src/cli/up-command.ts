import type { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { dockerConfig } from './client-config/docker-config.ts';
import { parseEdgeAddress } from './edge-address.ts';
import { startEdge } from './edge-command.ts';
import { addEdgeOptions, configurationHelp, type EdgeOptions } from './edge-options.ts';
import type { ExitCode } from './exit-code.ts';
import { runRole } from './run-role.ts';

export function addUpCommand(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  addEdgeOptions(program.command('up'))
    .summary('try Wherry: run an edge and print what to paste into Docker')
    .description(
      'Runs an edge and prints its address and the lines for Docker. This version has no hub to bring up beside it.',
    )
    .addHelpText(
      'after',
      `
Example:
  wherry up
${configurationHelp}
Next: paste the printed lines, then pull an image.`,
    )
    .action(async (options: EdgeOptions) => {
      const started = (edge: EdgeUrls): void => void io.stdout.write(greeting(edge));
      done(await runRole({ start: () => startEdge(options, io), started }, io));
    });
}

export interface EdgeUrls {
  readonly mirrorUrl: string;
  readonly adminUrl: string;
}

/** What a person sees once the edge runs. */
export function greeting({ mirrorUrl, adminUrl }: EdgeUrls): string {
  const edge = parseEdgeAddress(mirrorUrl);
  const docker = edge === undefined ? undefined : dockerConfig(edge, ['docker.io']).files[0];
  const paste =
    docker === undefined
      ? []
      : [`For Docker, in ${docker.path} (then: sudo systemctl reload docker):`, docker.content, ''];
  return [
    '',
    'Wherry is up.',
    '',
    `  mirror  ${mirrorUrl}`,
    `  admin   ${adminUrl}`,
    '',
    ...paste,
    `Other clients: wherry client-config containerd|podman|crio|buildkit --edge ${mirrorUrl}`,
    'Stop with Ctrl-C.',
    '',
    '',
  ].join('\n');
}
