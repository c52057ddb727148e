import { processCliIo } from './cli-io.ts';
import { describeFailure } from './describe-failure.ts';
import { exitCodes } from './exit-code.ts';
import { runCli } from './run-cli.ts';

function endOnUnexpected(what: string, error: unknown): void {
  process.stderr.write(`wherry: ${what}: ${describeFailure(error)}\n`);
  process.exit(exitCodes.failure);
}

process.on('unhandledRejection', (reason) => endOnUnexpected('unhandled rejection', reason));
process.on('uncaughtException', (error) => endOnUnexpected('uncaught exception', error));
// A reader that has seen enough (`wherry --help | head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') endOnUnexpected('standard output', error);
});

async function main(): Promise<void> {
  const io = processCliIo();
  const code = await runCli(process.argv.slice(2), io);
  // Pipes are written asynchronously: what is still on its way would be lost.
  await Promise.all(
    [io.stdout, io.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))),
  );
  process.exit(code);
}

// Not awaited here: the single-file executable runs this as CommonJS, which has no await at its top.
void main();
