import type { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { addEdgeOptions, configurationHelp, edgeSettings, type EdgeOptions } from './edge-options.ts';
import type { ExitCode } from './exit-code.ts';
import { readVersion } from './read-version.ts';
import { runRole } from './run-role.ts';

export function addEdgeCommand(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  addEdgeOptions(program.command('edge'))
    .summary('run an edge: cache and serve images near the machines that pull')
    .description(
      'Runs an edge: it serves images from its cache and fetches what is missing from the registries it mirrors.',
    )
    .addHelpText(
      'after',
      `
Examples:
  wherry edge
  wherry edge --listen 0.0.0.0:5000 --data /var/lib/wherry --max-bytes 200GB
  wherry edge --upstream docker.io --upstream registry.example.com=https://10.0.0.7:8443
  wherry edge --config /etc/wherry/edge.yaml
${configurationHelp}
Next: wherry client-config docker --edge http://HOST:5000`,
    )
    .action(async (options: EdgeOptions) => {
      done(await runRole({ start: () => startEdge(options, io), started: () => undefined }, io));
    });
}

/** Loads the configuration and the role only now: `--help` needs neither. */
export async function startEdge(options: EdgeOptions, io: CliIo) {
  const [{ loadEdgeConfig }, { processConfigIo }] = await Promise.all([
    import('../../config/load-edge-config.ts'),
    import('../../config/config-io.ts'),
  ]);
  const config = loadEdgeConfig(edgeSettings(options), processConfigIo());
  const { runEdge } = await import('../../edge/main.ts');
  return runEdge(config, { stdout: io.stdout, stderr: io.stderr, version: readVersion() });
}
