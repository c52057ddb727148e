import { runCommand } from '../test/programs/run-command.ts';

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly megabytesPerSecond: number;
}

const bytesPerUnit: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

/** Keeps all connections busy with GETs (wrk). Fails on any answer that is not 2xx or 3xx, and on socket errors. */
export async function putLoad({ url, connections, seconds, headers }: Load): Promise<LoadResult> {
  const heads = Object.entries(headers ?? {}).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const threads = '2';
  const args = [
    '-t',
    threads,
    '-c',
    String(connections),
    '-d',
    `${seconds}s`,
    '--timeout',
    '30s',
    ...heads,
    url,
  ];
  const { stdout } = await runCommand('wrk', args, { timeoutMs: (seconds + 60) * 1000 });
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`errors under load from ${url}\n${stdout}`);
  const requests = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
  const transfer = /Transfer\/sec:\s+([\d.]+)([KMG]?B)/.exec(stdout);
  if (requests === undefined || transfer === null) throw new Error(`wrk printed something else\n${stdout}`);
  const [, amount = '', unit = ''] = transfer;
  return {
    requestsPerSecond: Number(requests),
    megabytesPerSecond: (Number(amount) * (bytesPerUnit[unit] ?? Number.NaN)) / 1e6,
  };
}
