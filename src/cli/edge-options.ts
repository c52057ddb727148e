import { Option, type Command } from 'commander';
import type { EdgeSettings } from '../../config/load-edge-config.ts';
import type { EdgeFlags } from '../../config/sources.ts';

export interface EdgeOptions extends EdgeFlags {
  readonly config?: string;
}

/** The flags that configure an edge, on every command that needs such a configuration. */
export function addEdgeOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'YAML file to read (environment: WHERRY_CONFIG)')
    .option('--listen <host:port>', 'mirror listener, which clients use (default: 127.0.0.1:5000)')
    .option(
      '--admin-listen <host:port>',
      'admin listener: status, metrics, wherry ctl (default: 127.0.0.1:5002)',
    )
    .option('--data <dir>', 'folder of the cache (default: ./data)')
    .option(
      '--upstream <name=url>',
      'registry to mirror, NAME as in image names; repeat for more, the first is the default (default: the well-known public ones)',
      collect,
    )
    .option('--max-bytes <size>', 'the most the cache holds, such as 200GB (default: auto)')
    .addOption(laterOption('--token-listen <host:port>'))
    .addOption(laterOption('--site <name>'))
    .addOption(laterOption('--peer <url>').argParser(collect))
    .addOption(laterOption('--hub <url>'))
    .addOption(laterOption('--join-token-file <file>'));
}

export function edgeSettings({ config, ...flags }: EdgeOptions): EdgeSettings {
  return { configFile: config, flags };
}

/** Of a later version: understood, so that the configuration can say so, and not shown. */
function laterOption(flags: string): Option {
  return new Option(flags).hideHelp();
}

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

export const configurationHelp = `
Where configuration comes from, the stronger first:
  flags         as above
  environment   WHERRY_LISTEN, WHERRY_DATA, WHERRY_MAX_BYTES, WHERRY_UPSTREAMS (NAME=URL,...),
                WHERRY_UPSTREAM_DOCKER_IO_USERNAME, ..._PASSWORD_FILE, ..._ACCESS
  YAML file     --config FILE; every key is in config/reference.md
wherry check-config shows what comes out.
`;
