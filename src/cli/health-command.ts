import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { messagesOf } from './describe-failure.ts';
import { addEdgeOptions, edgeSettings, type EdgeOptions } from './edge-options.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';

const answerTimeoutMs = 4_000;
const maxShownCharacters = 1_000;

/** For the health checks of container engines, whose images hold no other program that could ask. */
export function addHealthCommand(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  addEdgeOptions(program.command('health'))
    .summary('ask the edge on this machine whether it is ready')
    .description(
      'Asks the edge that runs on this machine with the same configuration whether it is ready to serve. Exit code 1 where it is not.',
    )
    .addHelpText(
      'after',
      `
Example:
  wherry health && echo ready
`,
    )
    .action(async (options: EdgeOptions) => {
      const [{ loadEdgeConfig }, { processConfigIo }] = await Promise.all([
        import('../../config/load-edge-config.ts'),
        import('../../config/config-io.ts'),
      ]);
      const { adminListen } = loadEdgeConfig(edgeSettings(options), processConfigIo());
      done(await askReadiness(readinessUrl(adminListen), io));
    });
}

/** Of the admin listener: it speaks plain HTTP whatever the mirror listener does. */
function readinessUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}/readyz`;
  if (host === '::') return `http://[::1]:${port}/readyz`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/readyz`;
}

async function askReadiness(url: string, io: CliIo): Promise<ExitCode> {
  try {
    const { status, body } = await ask(url);
    if (status === 200) {
      io.stdout.write('ready\n');
      return exitCodes.ok;
    }
    io.stderr.write(`wherry: ${url}: ${status}: ${body.slice(0, maxShownCharacters)}\n`);
  } catch (error) {
    io.stderr.write(`wherry: ${url}: ${messagesOf(error)}\n`);
  }
  return exitCodes.failure;
}

/** Not by `fetch`: that one refuses to speak to some ports. */
async function ask(url: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const request = get(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error('no answer');
  return { status: response.statusCode, body: await text(response) };
}
