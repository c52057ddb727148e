import { Argument, type Command } from 'commander';
import { wellKnownUpstreams } from '../../config/well-known-upstreams.ts';
import type { CliIo } from './cli-io.ts';
import { formatClientConfig } from './client-config/client-config.ts';
import { clientNames, clients, type ClientName } from './client-config/clients.ts';
import { parseEdgeAddress } from './edge-address.ts';
import { collect } from './edge-options.ts';
import { UsageError } from './usage-error.ts';

interface ClientConfigOptions {
  readonly edge: string;
  readonly upstream?: readonly string[];
}

export function addClientConfigCommand(program: Command, io: CliIo): void {
  program
    .command('client-config')
    .summary('print what a client needs to pull through an edge')
    .description(
      'Prints the configuration that makes a client pull through an edge: each file with its path, and how to load it.',
    )
    .addArgument(new Argument('<client>', 'the program that pulls').choices(clientNames))
    .requiredOption('--edge <url>', "address of the edge's mirror listener, as the client reaches it")
    .option(
      '--upstream <name>',
      'registry to pull through the edge; repeat for more (default: the well-known public ones)',
      collect,
    )
    .addHelpText(
      'after',
      `
Examples:
  wherry client-config docker --edge http://10.0.0.5:5000
  wherry client-config containerd --edge https://edge.example.com --upstream docker.io --upstream ghcr.io

Next: pull an image twice; the second answer carries "Cache-Status: ...; hit".`,
    )
    .action((client: ClientName, options: ClientConfigOptions) => {
      const edge = parseEdgeAddress(options.edge);
      if (edge === undefined) {
        throw new UsageError(
          `--edge: expected an address such as http://10.0.0.5:5000, got "${withoutUser(options.edge)}"`,
        );
      }
      const upstreams = [...new Set(options.upstream ?? wellKnownUpstreams)];
      for (const name of upstreams) checkRegistryHost(name);
      io.stdout.write(formatClientConfig(clients[client](edge, upstreams)));
    });
}

const registryHost = /^(?=.*[.:]|localhost$)[a-z0-9]+(?:[.-]+[a-z0-9]+)*(?::\d{1,5})?$/;

/** The name goes into files and paths, so only what can be a registry's host in an image name is let through. */
function checkRegistryHost(name: string): void {
  if (name.length <= 255 && registryHost.test(name)) return;
  throw new UsageError(
    `--upstream: expected a registry host as image names carry it, such as ghcr.io, got ${JSON.stringify(name)}`,
  );
}

function withoutUser(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//');
}
