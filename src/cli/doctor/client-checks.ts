import type { Finding } from './finding.ts';
import { reasonOf, type Machine } from './machine.ts';

export interface ClientCheckOptions {
  /** `host:port` by which clients may name the edge. */
  readonly hosts: readonly string[];
  readonly url: string;
  /** The edge was named: then a client that misses it is amiss, and not only worth a note. */
  readonly expected: boolean;
}

interface Client {
  readonly name: string;
  /** As `wherry client-config` calls it. */
  readonly command: string;
  /** Its configuration files that are there. */
  readonly files: readonly string[];
  /** What says that the client is installed. */
  readonly folder: string;
}

/** Whether the clients of this machine pull through the edge, by the files that they read. */
export async function checkClients(
  machine: Machine,
  options: ClientCheckOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const client of await clientsOf(machine))
    findings.push(...(await checkClient(machine, client, options)));
  if (findings.length > 0) return findings;
  return [
    {
      check: 'clients',
      severity: 'note',
      message: 'none is configured on this machine',
      remedy: `wherry client-config docker|containerd|podman|crio|buildkit --edge ${options.url}`,
    },
  ];
}

async function clientsOf(machine: Machine): Promise<readonly Client[]> {
  const certs = '/etc/containerd/certs.d';
  // Where a folder cannot be read, that of its client cannot either, and becomes a finding there.
  const registries = await machine.list(certs).catch(() => []);
  const drop = '/etc/containers/registries.conf.d';
  const parts = (await machine.list(drop).catch(() => [])).filter((name) => name.endsWith('.conf'));
  return [
    { name: 'Docker', command: 'docker', folder: '/etc/docker', files: ['/etc/docker/daemon.json'] },
    {
      name: 'containerd',
      command: 'containerd',
      folder: '/etc/containerd',
      files: registries.map((name) => `${certs}/${name}/hosts.toml`),
    },
    {
      name: 'Podman, Buildah, Skopeo, CRI-O',
      command: 'podman',
      folder: '/etc/containers',
      files: ['/etc/containers/registries.conf', ...parts.map((name) => `${drop}/${name}`)],
    },
    {
      name: 'BuildKit',
      command: 'buildkit',
      folder: '/etc/buildkit',
      files: ['/etc/buildkit/buildkitd.toml'],
    },
  ];
}

async function checkClient(
  machine: Machine,
  client: Client,
  options: ClientCheckOptions,
): Promise<readonly Finding[]> {
  const { name, command, files, folder } = client;
  const check = `client ${name}`;
  try {
    if ((await machine.list(folder)).length === 0) return [];
  } catch (error) {
    return [
      {
        check,
        severity: 'note',
        message: `${folder}: ${reasonOf(error)}`,
        remedy: 'run as a user who may read it',
      },
    ];
  }
  const findings: Finding[] = [];
  const naming: string[] = [];
  for (const path of files) {
    try {
      const text = await machine.read(path);
      if (text === undefined) continue;
      if (path.endsWith('.json')) JSON.parse(text);
      if (options.hosts.some((host) => namesHost(text, host))) naming.push(path);
    } catch (error) {
      const remedy = path.endsWith('.json')
        ? 'correct its JSON: Docker does not start with it'
        : 'run as a user who may read it';
      findings.push({ check, severity: 'warning', message: `${path}: ${reasonOf(error)}`, remedy });
    }
  }
  if (naming.length > 0)
    return [...findings, { check, severity: 'ok', message: `${naming.join(', ')} names the edge` }];
  if (findings.length > 0) return findings;
  const remedy = `wherry client-config ${command} --edge ${options.url}`;
  return [
    {
      check,
      severity: options.expected ? 'warning' : 'note',
      message: 'does not pull through this edge',
      remedy,
    },
  ];
}

/** As a whole address, outside of comments: `10.0.0.5:5000` is not in `110.0.0.5:50001`. */
function namesHost(text: string, host: string): boolean {
  const escaped = host.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const address = new RegExp(String.raw`(?<![\w.-])${escaped}(?![\w:.-])`);
  return text.split('\n').some((line) => !line.trimStart().startsWith('#') && address.test(line));
}
