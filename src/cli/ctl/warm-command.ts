import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { readableSize } from '../../base/readable-size.ts';
import type { WarmEvent, WarmReport } from '../../protocol/admin-api.ts';
import { collect } from '../edge-options.ts';
import { exitCodes } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';
import { AdminCallError } from './admin-client.ts';
import type { MakeContext } from './cache-commands.ts';
import { printJson, type CtlContext } from './ctl-context.ts';
import { printable } from './text-table.ts';

interface WarmOptions {
  readonly file?: string;
  readonly platform?: readonly string[];
}

const maxListBytes = 4 * 1024 * 1024;

export function addWarmCommand(cache: Command, make: MakeContext): void {
  cache
    .command('warm [images...]')
    .summary('bring images into the cache')
    .description(
      'Brings images into the cache before anybody asks for them; what is here is not fetched again. Ends with 1 when one of them failed. Ctrl-C ends the work too; what came so far stays.',
    )
    .option('-f, --file <file>', 'list of images, one a line, # begins a comment; - reads standard input')
    .option(
      '--platform <platform>',
      'of multi-platform images only this one, such as linux/amd64; repeat for more (default: all)',
      collect,
    )
    .addHelpText(
      'after',
      `
Examples:
  wherry ctl cache warm alpine:3.20 ghcr.io/owner/app:1.4 --platform linux/amd64
  wherry ctl cache warm -f images.txt
  kubectl get pods -A -o jsonpath='{..image}' | tr ' ' '\\n' | wherry ctl cache warm -f -`,
    )
    .action(async (images: readonly string[], options: WarmOptions, command: Command) =>
      warm(make(command), images, options),
    );
}

async function warm(context: CtlContext, named: readonly string[], options: WarmOptions): Promise<void> {
  const images = [...named, ...(options.file === undefined ? [] : readList(options.file))];
  if (images.length === 0) throw new UsageError('name images, or a list of them with -f');
  const platforms = options.platform === undefined ? {} : { platforms: options.platform };
  let report: WarmReport | undefined;
  for await (const event of context.client.stream<WarmEvent>('/cache/warm', { images, ...platforms })) {
    if (context.json) printJson(context, event);
    else print(context, event);
    if (event.event === 'report') report = event;
  }
  if (report === undefined) throw new AdminCallError('BROKEN_OFF', 'the edge broke off before its report');
  if (report.failed > 0) context.done(exitCodes.failure);
}

function print({ io }: CtlContext, event: WarmEvent): void {
  switch (event.event) {
    case 'started':
      return;
    case 'done': {
      const fetched = `fetched ${readableSize(event.fetchedBytes)}`;
      const present = event.presentBytes === 0 ? '' : `, had ${readableSize(event.presentBytes)}`;
      io.stdout.write(`ok      ${printable(event.image)}  ${fetched}${present}\n`);
      return;
    }
    case 'failed':
      io.stdout.write(`failed  ${printable(event.image)}  ${printable(event.error.message)}\n`);
      return;
    case 'report':
      io.stdout.write(
        `${event.done} ok, ${event.failed} failed, fetched ${readableSize(event.fetchedBytes)}\n`,
      );
      return;
  }
}

const standardInput = 0;

function readList(file: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file === '-' ? standardInput : file, 'utf8');
  } catch (error) {
    throw new UsageError(`-f: cannot read ${file}: ${error instanceof Error ? error.message : 'failed'}`);
  }
  if (text.length > maxListBytes) throw new UsageError(`-f: ${file} is larger than ${maxListBytes} bytes`);
  return text
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '');
}
