import {
  anything,
  assert,
  constantFrom,
  dictionary,
  jsonValue,
  oneof,
  property,
  record,
  string,
  stringify as show,
} from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { edgeSchema } from './edge-schema.ts';
import { loadEdgeConfig } from './load-edge-config.ts';
import { memoryConfigIo } from './memory-config-io.ts';
import { ConfigError } from './problems.ts';
import { scalarFields, sectionShape } from './schema-walk.ts';
import { upstreamSchema } from './upstream-schema.ts';

/** Loads, or gives the problems; anything else that is thrown fails the test. */
function outcome(yaml: string, env: Readonly<Record<string, string>> = {}): 'loaded' | readonly string[] {
  try {
    const io = memoryConfigIo({ env, files: { '/work/edge.yaml': yaml } });
    loadEdgeConfig({ configFile: 'edge.yaml', flags: {} }, io);
    return 'loaded';
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

const key = oneof(
  constantFrom(...Object.keys(edgeSchema.shape), ...(sectionShape(upstreamSchema)?.keys() ?? [])),
  constantFrom('__proto__', 'constructor', 'toString'),
  string(),
);

test('a file of any shape loads or is refused with reasons', () => {
  const tree = dictionary(
    key,
    oneof(jsonValue(), dictionary(key, jsonValue()), record({ upstreams: jsonValue() })),
  );
  assert(
    property(tree, (value) => {
      expect(outcome(stringify(value)).length).toBeGreaterThan(0);
    }),
  );
});

test('any text as file loads or is refused with reasons', () => {
  assert(
    property(
      oneof(
        string({ maxLength: 200 }),
        anything().map((value) => show(value)),
      ),
      (text) => {
        expect(outcome(text).length).toBeGreaterThan(0);
      },
    ),
  );
});

test('what a variable has wrong is told with its name', () => {
  const variables = scalarFields(edgeSchema).map(({ env }) => env);
  assert(
    property(constantFrom(...variables), (variable) => {
      // No field takes a NUL.
      const problems = outcome('', { [variable]: '\0' });
      expect(problems).toContainEqual(expect.stringMatching(new RegExp(`^${variable}: `)));
    }),
  );
});
