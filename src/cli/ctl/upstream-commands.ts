import type { Command } from 'commander';
import { readableSize } from '../../base/readable-size.ts';
import type { UpstreamList, UpstreamTest } from '../../protocol/admin-api.ts';
import { exitCodes } from '../exit-code.ts';
import type { MakeContext } from './cache-commands.ts';
import { printJson, type CtlContext } from './ctl-context.ts';
import { printable, textTable } from './text-table.ts';

export function addUpstreamCommands(ctl: Command, make: MakeContext): void {
  const upstream = ctl
    .command('upstream')
    .summary('the registries behind the edge')
    .description('Looks at the registries that the edge mirrors.');
  upstream
    .command('ls')
    .summary('list the upstreams')
    .description('Lists the upstreams with their state. Asks none of them.')
    .action(async (_: object, command: Command) => list(make(command)));
  upstream
    .command('test <name>')
    .summary('try an upstream step by step')
    .description(
      'Asks an upstream now: whether it can be reached, whether the edge can sign in and read, how many pulls are left. Ends with 1 when a step fails.',
    )
    .option('--image <image>', 'what to read there (default: something cached; costs no pull)')
    .action(async (name: string, options: { image?: string }, command: Command) =>
      test(make(command), name, options.image),
    );
}

async function list(context: CtlContext): Promise<void> {
  const answer = await context.client.call<UpstreamList>('GET', '/upstreams');
  if (context.json) {
    printJson(context, answer);
    return;
  }
  const rows = answer.upstreams.map(({ cachedBytes, name, rateLimits, state, url }) => {
    const left = rateLimits.map(({ credential, limit }) => `${limit.remaining} (${credential})`).join(', ');
    return [name, state, readableSize(cachedBytes), left === '' ? '-' : left, url];
  });
  const columns = [
    { title: 'NAME' },
    { title: 'STATE' },
    { title: 'CACHED', align: 'right' },
    { title: 'PULLS LEFT' },
    { title: 'URL' },
  ] as const;
  context.io.stdout.write(textTable(columns, rows));
}

async function test(context: CtlContext, name: string, image: string | undefined): Promise<void> {
  const body = image === undefined ? {} : { image };
  const path = `/upstreams/${encodeURIComponent(name)}/test`;
  const answer = await context.client.call<UpstreamTest>('POST', path, body);
  if (!answer.passed) context.done(exitCodes.failure);
  if (context.json) {
    printJson(context, answer);
    return;
  }
  context.io.stdout.write(`${printable(answer.upstream)} at ${printable(answer.url)}\n`);
  for (const { detail, name: step, outcome, tookMs } of answer.steps) {
    const took = tookMs === undefined ? '' : ` (${tookMs} ms)`;
    context.io.stdout.write(`  ${outcome.padEnd(8)}${step}${took}: ${printable(detail)}\n`);
  }
}
