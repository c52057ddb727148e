import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatClientConfig } from '../../src/cli/client-config/client-config.ts';
import { clients, type ClientName } from '../../src/cli/client-config/clients.ts';
import { parseEdgeAddress } from '../../src/cli/edge-address.ts';
import { markdownFiles, type ProjectFile } from './source-tree.ts';

const root = join(import.meta.dirname, '../..');
const link = /\]\((?<target>[^)\s]+)\)/g;

/** `file: target` for each link to a file of the project that is not there. */
function brokenLinks({ path, text }: ProjectFile): string[] {
  return [...text.matchAll(link)]
    .map((match) => match.groups?.['target'] ?? '')
    .filter((target) => !/^(?:https?:|#)/.test(target))
    .filter((target) => !existsSync(join(root, posix.dirname(path), target.replace(/#.*$/, ''))))
    .map((target) => `${path}: ${target}`);
}

describe('links in documents', () => {
  it('lead to files that are there', () => {
    expect(markdownFiles().flatMap(brokenLinks)).toEqual([]);
  });

  it.each([
    ['[a](gone.md)', ['docs/x.md: gone.md']],
    ['[a](../README.md#one), [b](https://example.com/), [c](#two)', []],
    ['[a](README.md)', ['docs/x.md: README.md']],
  ])('%s', (text, broken) => {
    expect(brokenLinks({ path: 'docs/x.md', text })).toEqual(broken);
  });
});

describe('README.md', () => {
  const text = markdownFiles().find(({ path }) => path === 'README.md')?.text ?? '';
  const examples = [
    ...text.matchAll(
      /^bin\/wherry client-config (?<client>\w+) (?<flags>.+)\n```\n\n```text\n(?<shown>[^`]+)```/gm,
    ),
  ];

  it('shows client-config for four clients', () => {
    expect(examples.map((example) => example.groups?.['client'])).toEqual([
      'docker',
      'containerd',
      'podman',
      'buildkit',
    ]);
  });

  it.each(examples.map(({ groups }) => [groups!['client']!, groups!['flags']!, groups!['shown']!]))(
    'shows what client-config %s prints',
    (client, flags, shown) => {
      const edge = parseEdgeAddress(/--edge (\S+)/.exec(flags)?.[1] ?? '');
      const upstreams = [...flags.matchAll(/--upstream (\S+)/g)].map(([, name = '']) => name);
      expect(formatClientConfig(clients[client as ClientName](edge!, upstreams))).toBe(shown);
    },
  );
});
