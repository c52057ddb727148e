import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { EdgeConfig, UpstreamConfig } from '../../config/edge-schema.ts';
import type { CliIo } from './cli-io.ts';
import { checkClients } from './doctor/client-checks.ts';
import { checkDisk } from './doctor/disk-checks.ts';
import { formatFindings, isBroken, type Finding } from './doctor/finding.ts';
import { reasonOf, type AskOptions, type Machine } from './doctor/machine.ts';
import { checkPorts } from './doctor/port-checks.ts';
import { checkUpstream } from './doctor/upstream-checks.ts';
import { parseEdgeAddress } from './edge-address.ts';
import { addEdgeOptions, edgeSettings, type EdgeOptions } from './edge-options.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { readVersion } from './read-version.ts';
import { UsageError } from './usage-error.ts';

interface DoctorOptions extends EdgeOptions {
  readonly edge?: string;
  readonly json?: boolean;
}

export function addDoctorCommand(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  addEdgeOptions(program.command('doctor'))
    .option(
      '--edge <url>',
      'address by which clients reach the edge: asks it, and expects the clients here to use it',
    )
    .option('--json', 'print the findings as JSON')
    .summary('look for what would keep an edge from working on this machine')
    .description(
      'Looks at the disk, the ports, the clock, each upstream with its credential, and the clients of this machine, with the configuration that an edge would run with. Says what to do about each finding. Changes nothing; makes the data folder where there is none. Exit code 1 where something is broken.',
    )
    .addHelpText(
      'after',
      `
Examples:
  wherry doctor --config /etc/wherry/edge.yaml
  wherry doctor --edge http://10.0.0.5:5000 --json
`,
    )
    .action(async ({ edge, json = false, ...options }: DoctorOptions) => {
      const [{ loadEdgeConfig }, { processConfigIo }, { nodeMachine }] = await Promise.all([
        import('../../config/load-edge-config.ts'),
        import('../../config/config-io.ts'),
        import('./doctor/node-machine.ts'),
      ]);
      if (edge !== undefined && parseEdgeAddress(edge) === undefined) {
        throw new UsageError('--edge: expected an address such as http://10.0.0.5:5000');
      }
      const config = loadEdgeConfig(edgeSettings(options), processConfigIo());
      const findings = [
        ...(await checkHere(nodeMachine, config)),
        ...(await checkUpstreams(nodeMachine, config)),
        ...(await checkUse(nodeMachine, config, edge)),
      ];
      io.stdout.write(json ? `${JSON.stringify({ findings }, undefined, 2)}\n` : formatFindings(findings));
      done(isBroken(findings) ? exitCodes.failure : exitCodes.ok);
    });
}

async function checkHere(
  machine: Machine,
  { data, cache, listen, adminListen }: EdgeConfig,
): Promise<readonly Finding[]> {
  const { reserve } = cache;
  // A disk that does not answer is a finding of the checks.
  const { totalBytes } = await machine.disk(data).catch(() => ({ totalBytes: 0 }));
  const reserveBytes = reserve.unit === 'bytes' ? reserve.bytes : totalBytes * reserve.fraction;
  const addresses = [
    { key: 'listen', ...listen },
    { key: 'adminListen', ...adminListen },
  ];
  return [...(await checkDisk(machine, { data, reserveBytes })), ...(await checkPorts(machine, addresses))];
}

async function checkUpstreams(machine: Machine, config: EdgeConfig): Promise<readonly Finding[]> {
  const { connectUpstreams } = await import('../../edge/main.ts');
  const { clients, close } = await connectUpstreams(config, readVersion());
  try {
    const findings = await Promise.all(
      config.upstreams.map(async (upstream) => {
        const { name, url, credentials } = upstream;
        const client = clients.get(name);
        if (client === undefined) return [];
        const tls = await trustOf(upstream);
        return checkUpstream(machine, { name, url, tls, client, hasCredential: credentials.length > 0 });
      }),
    );
    return findings.flat();
  } finally {
    await close();
  }
}

async function trustOf({ tls }: UpstreamConfig): Promise<AskOptions> {
  const { ca, insecure } = tls;
  return { insecure, ...(ca === undefined ? {} : { ca: await readFile(ca, 'utf8') }) };
}

/** The edge as its clients see it, if it was named, and those that are on this machine. */
async function checkUse(
  machine: Machine,
  config: EdgeConfig,
  edge: string | undefined,
): Promise<readonly Finding[]> {
  const { host, port } = config.listen;
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const url =
    edge ??
    `${config.tls === undefined ? 'http' : 'https'}://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
  const address = parseEdgeAddress(url);
  const own = machine.ownHosts().map((name) => `${name}:${port}`);
  const hosts = edge === undefined || address === undefined ? own : [address.host, new URL(url).host];
  const clients = await checkClients(machine, { url, hosts, expected: edge !== undefined });
  return edge === undefined ? clients : [await checkEdge(machine, edge), ...clients];
}

async function checkEdge(machine: Machine, edge: string): Promise<Finding> {
  const check = `edge ${edge}`;
  try {
    const { status } = await machine.ask(new URL('/readyz', edge).href, {});
    if (status === 200) return { check, severity: 'ok', message: 'is ready' };
    const remedy = 'see its /readyz and its log';
    return { check, severity: 'broken', message: `is not ready: ${status}`, remedy };
  } catch (error) {
    const remedy =
      'start it, let it listen on an address that clients reach (--listen), and open the firewall';
    return { check, severity: 'broken', message: `cannot be reached: ${reasonOf(error)}`, remedy };
  }
}
