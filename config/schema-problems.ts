import type { z } from 'zod';
import { edgeSchema } from './edge-schema.ts';
import type { KeyPath, Report } from './problems.ts';
import { schemaAt, sectionShape } from './schema-walk.ts';
import { suggest } from './suggest.ts';

/** Reports what the schema has against the settings, each at its key. */
export function reportSchemaIssues(issues: readonly z.core.$ZodIssue[], report: Report): void {
  for (const issue of issues) {
    const path = keyPath(issue.path);
    if (issue.code !== 'unrecognized_keys') {
      report(path, issue.message);
      continue;
    }
    const known = [...(sectionShape(schemaAt(edgeSchema, path) ?? edgeSchema)?.keys() ?? [])];
    for (const key of issue.keys) {
      const near = suggest(key, known);
      report([...path, key], near === undefined ? unknownKey(known) : `unknown key; did you mean "${near}"?`);
    }
  }
}

function unknownKey(known: readonly string[]): string {
  return `unknown key; known here: ${known.join(', ')}`;
}

function keyPath(path: readonly PropertyKey[]): KeyPath {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}
