import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { CliIo } from '../cli-io.ts';
import { parseEdgeAddress } from '../edge-address.ts';
import type { ExitCode } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';
import { AdminClient } from './admin-client.ts';

/** What every command below `ctl` works with. */
export interface CtlContext {
  readonly client: AdminClient;
  readonly io: CliIo;
  /** Whether the answer is for scripts. */
  readonly json: boolean;
  readonly done: (code: ExitCode) => void;
}

interface CtlOptions {
  readonly admin: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
}

/** Reads the options of `ctl` that stand before or behind the command. Fails with UsageError. */
export function ctlContext(command: Command, io: CliIo, done: (code: ExitCode) => void): CtlContext {
  const { admin, json, tokenFile } = command.optsWithGlobals<CtlOptions>();
  const address = parseEdgeAddress(admin);
  if (address === undefined) {
    throw new UsageError(
      `--admin: expected an address such as http://127.0.0.1:5002, got ${JSON.stringify(admin)}`,
    );
  }
  const token = tokenFile === undefined ? undefined : readToken(tokenFile);
  if (token !== undefined && address.plainHttp && !address.loopback) {
    io.stderr.write(
      'wherry: the token goes over the network unencrypted: the admin listener speaks plain HTTP\n',
    );
  }
  return { client: new AdminClient({ url: address.url, token }), io, json: json === true, done };
}

function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(
      `--token-file: cannot read ${file}: ${error instanceof Error ? error.message : 'failed'}`,
    );
  }
  if (!/^[\x21-\x7e]+$/.test(text)) throw new UsageError(`--token-file: ${file} holds no token`);
  return text;
}

/** One JSON document on one line. */
export function printJson({ io }: CtlContext, answer: unknown): void {
  io.stdout.write(`${JSON.stringify(answer)}\n`);
}
