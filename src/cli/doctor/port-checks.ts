import type { Finding } from './finding.ts';
import { codeOf, reasonOf, type Machine } from './machine.ts';

export interface ListenAddress {
  /** The key of the configuration. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
}

/** Whether the edge can have its ports, and who has them else. */
export async function checkPorts(
  machine: Machine,
  addresses: readonly ListenAddress[],
): Promise<readonly Finding[]> {
  return Promise.all(addresses.filter(({ port }) => port !== 0).map(async (one) => checkPort(machine, one)));
}

async function checkPort(machine: Machine, { key, host, port }: ListenAddress): Promise<Finding> {
  const check = `${key} ${host}:${port}`;
  try {
    await machine.tryListening(host, port);
    return { check, severity: 'ok', message: 'free' };
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') return inUse(machine, { key, host, port }, check);
    const remedies: Readonly<Record<string, string>> = {
      EACCES: 'ports below 1024 need CAP_NET_BIND_SERVICE; or take a higher one',
      EADDRNOTAVAIL: 'give an address that this machine has, or 0.0.0.0 for all',
    };
    const remedy = remedies[codeOf(error)] ?? `set ${key} to an address of this machine`;
    return { check, severity: 'broken', message: reasonOf(error), remedy };
  }
}

async function inUse(machine: Machine, { key, host, port }: ListenAddress, check: string): Promise<Finding> {
  const who = (await machine.listenerOf(port)) ?? 'another program (to see which: sudo ss -ltnp)';
  const asked =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  try {
    const { status } = await machine.ask(`http://${asked}:${port}/healthz`, {});
    if (status === 200) {
      return {
        check,
        severity: 'note',
        message: `in use by ${who}, which answers as an edge does`,
        remedy: 'fine if that is your edge',
      };
    }
  } catch {
    // Whatever it is, it speaks no HTTP: the finding below says that the port is taken.
  }
  return {
    check,
    severity: 'broken',
    message: `in use by ${who}`,
    remedy: `stop that program, or set ${key} to another port`,
  };
}
