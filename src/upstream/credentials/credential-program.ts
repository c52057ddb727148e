import { spawn } from 'node:child_process';
import { z } from 'zod';
import type { Credential } from '../credential.ts';
import { quoteForeign } from '../redact.ts';
import { UpstreamError } from '../upstream-error.ts';

export interface CredentialProgram {
  /** What follows `docker-credential-` in the name of the program. */
  readonly name: string;
  /** The registry as Docker names it to helpers. */
  readonly server: string;
}

const nameGrammar = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const maxOutputBytes = 64 * 1024;

const answerSchema = z.object({ Username: z.string(), Secret: z.string().min(1) });

/**
 * Asks a program of docker-credential-helpers: `docker-credential-<name> get`, the server's name on standard input, JSON
 * on standard output. No shell; killed when the signal aborts. Fails with UpstreamError: `credential` where the
 * helper answers that it has none, `unavailable` where it could not be asked.
 */
export async function askCredentialProgram(
  { name, server }: CredentialProgram,
  signal: AbortSignal,
): Promise<Credential> {
  const program = `docker-credential-${name}`;
  if (!nameGrammar.test(name)) {
    throw new UpstreamError(
      'credential',
      'the name of a credential helper holds characters that no program name has',
    );
  }
  const { output, isSuccess } = await run(program, server, signal);
  if (!isSuccess) {
    throw new UpstreamError('credential', `${program} get ${server}: ${quoteForeign(output)}`);
  }
  const answer = answerSchema.safeParse(jsonFrom(output));
  // Without the output, which holds the secret.
  if (!answer.success) throw new UpstreamError('credential', `${program} get ${server}: no answer in JSON`);
  const { Username: username, Secret: password } = answer.data;
  // docker/cli's mark of a refresh token.
  return username === '<token>'
    ? { kind: 'identity-token', token: password }
    : { kind: 'password', username, password };
}

async function run(
  program: string,
  input: string,
  signal: AbortSignal,
): Promise<{ output: string; isSuccess: boolean }> {
  signal.throwIfAborted();
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], signal, killSignal: 'SIGKILL' });
  const ended = Promise.withResolvers<number | null>();
  child.once('error', ended.reject);
  child.once('close', ended.resolve);
  // A helper may answer, or fail, without reading what it was asked; its exit tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${input}\n`);
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= maxOutputBytes) chunks.push(chunk);
    else child.kill('SIGKILL');
  });
  try {
    const code = await ended.promise;
    if (length > maxOutputBytes) throw new Error(`more than ${maxOutputBytes} bytes of output`);
    return { output: Buffer.concat(chunks).toString('utf8').trim(), isSuccess: code === 0 };
  } catch (error) {
    signal.throwIfAborted();
    throw new UpstreamError('unavailable', `cannot run ${program}`, { cause: error });
  }
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses `undefined`.
    return undefined;
  }
}
