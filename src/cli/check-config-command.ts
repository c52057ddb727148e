import type { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { addEdgeOptions, configurationHelp, edgeSettings, type EdgeOptions } from './edge-options.ts';

export function addCheckConfigCommand(program: Command, io: CliIo): void {
  addEdgeOptions(program.command('check-config'))
    .summary('print the configuration an edge would run with, or all that is wrong with it')
    .description(
      'Prints the configuration that an edge would run with as YAML, every default written out and every secret masked. Starts nothing. Exit code 2 where it has problems.',
    )
    .addHelpText(
      'after',
      `
Example:
  wherry check-config --config /etc/wherry/edge.yaml
${configurationHelp}
Next: wherry edge --config /etc/wherry/edge.yaml`,
    )
    .action(async (options: EdgeOptions) => {
      const [{ loadEdgeConfig }, { processConfigIo }, { formatEdgeConfig }] = await Promise.all([
        import('../../config/load-edge-config.ts'),
        import('../../config/config-io.ts'),
        import('../../config/format-edge-config.ts'),
      ]);
      io.stdout.write(formatEdgeConfig(loadEdgeConfig(edgeSettings(options), processConfigIo())));
    });
}
