import { cpus, release, totalmem } from 'node:os';
import { runCommand } from '../test/programs/run-command.ts';

/** One line for the head of a table: figures mean nothing without it. */
export async function describeMachine(): Promise<string> {
  const [first] = cpus();
  const nginx = await runCommand('nginx', ['-v']);
  const registry = await runCommand('docker-registry', ['--version']);
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return [
    `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${gibibytes} GiB, Linux ${release()}`,
    `Node ${process.versions.node}`,
    (nginx.stderr + nginx.stdout).trim().replace('nginx version: ', ''),
    registry.stdout.trim(),
  ].join('; ');
}
