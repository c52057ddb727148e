import path from 'node:path';
import { runCommand, type CommandOptions, type CommandOutput } from '../programs/run-command.ts';

export const projectRoot = path.join(import.meta.dirname, '../..');

/** Runs npm in this project. Its notices stay off; it prints what was asked for. */
export function npm(args: readonly string[], options: CommandOptions = {}): Promise<CommandOutput> {
  return runCommand('npm', ['--silent', ...args], { cwd: projectRoot, ...options });
}
