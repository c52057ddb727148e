import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { editorSchema } from './editor-schema.ts';

const written = z.fromJSONSchema(JSON.parse(editorSchema()));

test('edge.schema.json is what the schema says: else run `npm run docs`', () => {
  expect(readFileSync(new URL('edge.schema.json', import.meta.url), 'utf8')).toBe(editorSchema());
});

describe('an editor accepts', () => {
  test.each(readdirSync(new URL('examples', import.meta.url)))('the example %s, which names it', (name) => {
    const text = readFileSync(new URL(`examples/${name}`, import.meta.url), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/edge\.schema\.json$/m);
    expect(written.safeParse(parse(text)).error).toBeUndefined();
  });

  test.each([
    ['nothing but a key', { data: '/var/lib/wherry' }],
    ['a size as a number', { cache: { maxBytes: 1_000_000 } }],
    ['one pattern instead of a list', { freshness: [{ tags: 'v*' }] }],
  ])('%s', (_, tree) => expect(written.safeParse(tree).success).toBe(true));
});

describe('an editor marks', () => {
  test.each([
    ['a key that is not there', { lisen: '127.0.0.1:5000' }],
    ['a key of another section', { cache: { level: 'info' } }],
    ['an upstream without a name', { upstreams: [{ url: 'https://ghcr.io' }] }],
    ['a word that is none of the few', { log: { level: 'loud' } }],
    ['a count in words', { limits: { maxConnections: 'many' } }],
    ['a list that is none', { upstreams: { name: 'docker.io' } }],
  ])('%s', (_, tree) => expect(written.safeParse(tree).success).toBe(false));
});
