import { spawn } from 'node:child_process';
import { searchPath } from './system-program.ts';

export interface CommandOptions {
  readonly timeoutMs?: number;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that ended with another code than 0, or did not end in time; the message shows what it printed. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly output: CommandOutput;

  constructor(line: string, reason: string, output: CommandOutput) {
    super(`${line}\n  ${reason}\n${lastPart(output.stderr)}\n${lastPart(output.stdout)}`);
    this.output = output;
  }
}

const shownCharacters = 4_000;

/** More than any client prints here; beyond it the output is cut, not the command. */
const maxOutputBytes = 16 * 1024 * 1024;

/** Runs a program to its end, without a shell, in a process group of its own that is killed as a whole on a time-out. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutput> {
  const timeoutMs = options.timeoutMs ?? 120_000;
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: searchPath, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, timeoutMs);
  try {
    const ended = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal ?? `code ${code}`));
    });
    const output = { stdout: stdout(), stderr: stderr() };
    if (ended === 'code 0' && !late) return output;
    const reason = late ? `did not end within ${timeoutMs} ms` : `ended with ${ended}`;
    throw new CommandError([command, ...args].join(' '), reason, output);
  } finally {
    clearTimeout(timer);
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxOutputBytes) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function lastPart(text: string): string {
  return text.length <= shownCharacters ? text : `...${text.slice(-shownCharacters)}`;
}
