import { expect, test } from 'vitest';
import type { CachedUpstream } from '../../src/cache/cached-upstream.ts';
import { formatInventoryName } from '../../src/cache/cache-inventory.ts';
import { Addressing } from '../addressing.ts';
import { ImageNames } from './image-names.ts';

const names = new ImageNames({
  addressing: new Addressing([
    { name: 'docker.io', hosts: ['docker.io'] },
    { name: 'inhouse', hosts: ['inhouse', 'registry.example.com:5000'] },
  ]),
  upstreams: new Map(['docker.io', 'inhouse'].map((name) => [name, { name } as CachedUpstream])),
});

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['alpine', 'docker.io/library/alpine:latest'],
  ['team/app:1', 'docker.io/team/app:1'],
  ['index.docker.io/library/alpine', 'docker.io/library/alpine:latest'],
  ['inhouse/app', 'inhouse/app:latest'],
  [`inhouse/team/app@${digest}`, `inhouse/team/app@${digest}`],
  ['registry.example.com:5000/team/app:1', 'inhouse/team/app:1'],
  ['inhouse', 'docker.io/library/inhouse:latest'],
])('%s means %s', (text, expected) => {
  expect(formatInventoryName(names.find(text))).toBe(expected);
});

test.each([
  ['', /no name of an image/],
  ['UPPER', /no name of an image/],
  ['inhouse/', /no name of an image/],
  ['a'.repeat(5_000), /no name of an image/],
  ['quay.io/a/b', /quay\.io is no upstream of this edge; it has docker\.io, inhouse/],
])('%.20j is refused', (text, message) => {
  expect(() => names.find(text)).toThrow(message);
});

test.each(['alpine:3.20', `alpine@${digest}`, 'registry.example.com:5000/app:1'])(
  '%s names no repository',
  (text) => {
    expect(() => names.findRepository(text)).toThrow(/without tag and digest/);
  },
);

test('a port is no tag', () => {
  expect(names.findRepository('registry.example.com:5000/app').key).toEqual({
    upstream: 'inhouse',
    repository: 'app',
  });
});
