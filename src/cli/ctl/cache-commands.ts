import { Option, type Command } from 'commander';
import { readableSize } from '../../base/readable-size.ts';
import type {
  CachedImage,
  CachedImageDetail,
  CachedPlatform,
  CachePage,
  PinnedImage,
  RefreshedImage,
  RemovedImages,
} from '../../protocol/admin-api.ts';
import { UsageError } from '../usage-error.ts';
import { pathOf } from './admin-client.ts';
import { printJson, type CtlContext } from './ctl-context.ts';
import { printable, textTable } from './text-table.ts';

export type MakeContext = (command: Command) => CtlContext;

interface ListOptions {
  readonly upstream?: string;
  readonly repository?: string;
  readonly limit: string;
  readonly after?: string;
}

/** `cache ls|show|rm|refresh|pin|unpin`; `warm` is added elsewhere. */
export function addCacheCommands(ctl: Command, make: MakeContext): Command {
  const cache = ctl
    .command('cache')
    .summary('what is in the cache')
    .description('Looks at the cache and changes it.');
  cache
    .command('ls')
    .summary('list cached images')
    .description('Lists tags, and manifests that were pulled by digest, in the order of their names.')
    .option('--upstream <name>', 'only of this upstream')
    .option('--repository <name>', 'only this repository, or those below it: library, library/alpine')
    .option('--limit <count>', 'at most so many, up to 1000', '100')
    .option('--after <image>', 'go on behind this one: the "next" of the page before')
    .action(async (options: ListOptions, command: Command) => list(make(command), options));
  cache
    .command('show <image>')
    .summary('show what is here of an image')
    .description('Shows the platforms of an image, and for each one which blobs are here.')
    .action(async (image: string, _: object, command: Command) => show(make(command), image));
  cache
    .command('rm <image>')
    .summary('remove an image from the cache')
    .description('Forgets a tag, or a manifest named by digest, and the blobs that nothing else here needs.')
    .option('--all', 'the name is a repository: forget all of it')
    .action(async (image: string, options: { all?: boolean }, command: Command) =>
      remove(make(command), image, options.all === true),
    );
  cache
    .command('refresh <image>')
    .summary('ask the upstream now what a tag means')
    .description('Asks the upstream now, however fresh the cache believes to be.')
    .action(async (image: string, _: object, command: Command) => refresh(make(command), image));
  cache
    .command('pin <image>')
    .summary('keep an image from being evicted')
    .description(
      'Keeps an image, all its blobs included, from being evicted until a date. What is not here yet is not fetched: warm it first.',
    )
    .addOption(new Option('--for <duration>', 'how long, such as 30d').conflicts('until'))
    .option('--until <time>', 'until when, such as 2027-01-31 or 2027-01-31T08:00:00Z')
    .action(async (image: string, options: PinOptions, command: Command) =>
      pin(make(command), image, options),
    );
  cache
    .command('unpin <image>')
    .summary('let an image be evicted again')
    .description('Takes the pin away; what another pinned image needs stays pinned.')
    .action(async (image: string, _: object, command: Command) => unpin(make(command), image));
  return cache;
}

interface PinOptions {
  readonly for?: string;
  readonly until?: string;
}

async function list(context: CtlContext, options: ListOptions): Promise<void> {
  if (!/^[1-9]\d{0,3}$/.test(options.limit) || Number(options.limit) > 1_000) {
    throw new UsageError(`--limit: expected a number from 1 to 1000, got ${JSON.stringify(options.limit)}`);
  }
  const given = Object.entries(options).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const query = new URLSearchParams(given);
  const page = await context.client.call<CachePage>('GET', `/cache?${query.toString()}`);
  if (context.json) {
    printJson(context, page);
    return;
  }
  const { io } = context;
  const columns = [
    { title: 'IMAGE' },
    { title: 'SIZE', align: 'right' },
    { title: 'STATE' },
    { title: 'LAST USED' },
    { title: 'PINNED UNTIL' },
  ] as const;
  io.stdout.write(textTable(columns, page.images.map(row)));
  if (page.next !== undefined) io.stderr.write(`More: add --after ${printable(page.next)}\n`);
}

function row({ complete, image, pinnedUntil, storedBytes, usedAt }: CachedImage): readonly string[] {
  return [
    image,
    readableSize(storedBytes),
    complete ? 'complete' : 'partial',
    minute(usedAt),
    minute(pinnedUntil),
  ];
}

/** `2026-01-31T08:00Z` */
function minute(time: string | undefined): string {
  return time === undefined ? '-' : `${time.slice(0, 16)}Z`;
}

async function show(context: CtlContext, name: string): Promise<void> {
  const image = await context.client.call<CachedImageDetail>('GET', `/cache/${pathOf(name)}`);
  if (context.json) {
    printJson(context, image);
    return;
  }
  const facts = [
    ['image', image.image],
    ['digest', image.digest],
    ['type', image.mediaType],
    ['here', `${readableSize(image.storedBytes)}, ${image.complete ? 'complete' : 'partial'}`],
    ['last used', minute(image.usedAt)],
    ['confirmed', minute(image.checkedAt)],
    ['pinned', minute(image.pinnedUntil)],
  ];
  const lines = facts.map(([label = '', value = '']) => `${`${label}:`.padEnd(11)}${printable(value)}\n`);
  context.io.stdout.write(lines.join(''));
  for (const platform of image.platforms) context.io.stdout.write(`\n${platformText(platform)}`);
}

function platformText({ blobs, complete, digest, manifestHere, platform }: CachedPlatform): string {
  const state = complete ? 'complete' : manifestHere ? 'partial' : 'not here';
  const head = `${printable(platform ?? 'image')}  ${digest}  ${state}\n`;
  if (blobs.length === 0) return head;
  const columns = [
    { title: '  BLOB' },
    { title: 'SIZE', align: 'right' },
    { title: 'STATE' },
    { title: 'TYPE' },
  ] as const;
  const rows = blobs.map((blob) => [`  ${blob.digest}`, readableSize(blob.size), blob.state, blob.mediaType]);
  return head + textTable(columns, rows);
}

async function remove(context: CtlContext, image: string, isWhole: boolean): Promise<void> {
  const query = isWhole ? '?all=true' : '';
  const removed = await context.client.call<RemovedImages>('DELETE', `/cache/${pathOf(image)}${query}`);
  if (context.json) {
    printJson(context, removed);
    return;
  }
  const { blobs, freedBytes, manifests, tags } = removed;
  const kept = blobs === 0 ? '; its content stays, since other images need it' : '';
  context.io.stdout.write(
    `removed ${count(tags, 'tag')} and ${count(manifests, 'manifest')}, freed ${readableSize(freedBytes)}${kept}\n`,
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

async function refresh(context: CtlContext, name: string): Promise<void> {
  const { digest, image, previousDigest } = await context.client.call<RefreshedImage>(
    'POST',
    `/cache/${pathOf(name)}/refresh`,
  );
  if (context.json) {
    printJson(context, { image, digest, previousDigest });
    return;
  }
  const change =
    previousDigest === undefined
      ? 'new here'
      : previousDigest === digest
        ? 'unchanged'
        : `was ${previousDigest}`;
  context.io.stdout.write(`${printable(image)}  ${digest}  ${change}\n`);
}

async function pin(context: CtlContext, name: string, { for: length, until }: PinOptions): Promise<void> {
  if (length === undefined && until === undefined) {
    throw new UsageError('say how long: --for 30d, or --until 2027-01-31');
  }
  const body = until === undefined ? { for: length } : { until: timeOf(until) };
  const pinned = await context.client.call<PinnedImage>('POST', `/cache/${pathOf(name)}/pin`, body);
  if (context.json) {
    printJson(context, pinned);
    return;
  }
  context.io.stdout.write(`${printable(pinned.image)} is pinned until ${minute(pinned.pinnedUntil)}\n`);
  if (!pinned.complete) {
    context.io.stderr.write('Parts of it are not here: to keep them too, warm it and pin it again.\n');
  }
}

/** A day means its beginning in UTC. */
function timeOf(text: string): string {
  const atMs = /^\d{4}-\d{2}-\d{2}(?:T.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) {
    throw new UsageError(`--until: expected a time such as 2027-01-31, got ${JSON.stringify(text)}`);
  }
  return new Date(atMs).toISOString();
}

async function unpin(context: CtlContext, name: string): Promise<void> {
  const { image, pinnedUntil } = await context.client.call<PinnedImage>(
    'POST',
    `/cache/${pathOf(name)}/unpin`,
  );
  if (context.json) {
    printJson(context, { image, pinnedUntil });
    return;
  }
  const still =
    pinnedUntil === undefined
      ? 'is no longer pinned'
      : `stays until ${minute(pinnedUntil)}: another pinned image contains it`;
  context.io.stdout.write(`${printable(image)} ${still}\n`);
}
