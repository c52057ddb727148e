import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { edgeSchema } from './edge-schema.ts';
import { loadEdgeConfig } from './load-edge-config.ts';
import { memoryConfigIo } from './memory-config-io.ts';
import { configReference } from './reference.ts';
import { describe, listItem, scalarFields, sectionShape } from './schema-walk.ts';

type Schema = Parameters<typeof describe>[0];

test('reference.md is what the schema says: else run `npm run docs`', () => {
  expect(readFileSync(new URL('reference.md', import.meta.url), 'utf8')).toBe(configReference());
});

test('every key is explained', () => {
  const unexplained = (schema: Schema, path: string): readonly string[] => {
    const inner = listItem(schema) ?? schema;
    const below = [...(sectionShape(inner) ?? [])].flatMap(([key, child]) =>
      unexplained(child, `${path}.${key}`),
    );
    return describe(schema).docs.doc === '' ? [path, ...below] : below;
  };
  expect(unexplained(edgeSchema, '')).toEqual([]);
});

test('no two keys share a variable', () => {
  const names = scalarFields(edgeSchema).map(({ env }) => env);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(
    expect.arrayContaining(['WHERRY_LISTEN', 'WHERRY_DATA', 'WHERRY_MAX_BYTES', 'WHERRY_LOG_LEVEL']),
  );
});

test.each(readdirSync(new URL('examples', import.meta.url)))('the example %s loads', (name) => {
  const text = readFileSync(new URL(`examples/${name}`, import.meta.url), 'utf8');
  const io = memoryConfigIo({ files: { '/work/example.yaml': text } });
  expect(loadEdgeConfig({ configFile: 'example.yaml', flags: {} }, io).upstreams.length).toBeGreaterThan(0);
});
