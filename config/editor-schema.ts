import { edgeSchema } from './edge-schema.ts';
import { describe, listItem, sectionShape, type Described } from './schema-walk.ts';

type Schema = Parameters<typeof describe>[0];
type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The configuration file as JSON Schema (draft 7, which editors know), as text. It is for completing and for finding
 * misspelt keys while writing; what an edge accepts is decided by the schema that this is made from.
 */
export function editorSchema(): string {
  const root = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of a Wherry edge',
    ...schemaOf(edgeSchema),
  };
  return `${JSON.stringify(root, undefined, 2)}\n`;
}

function schemaOf(schema: Schema): JsonSchema {
  const described = describe(schema);
  return { ...about(described), ...formOf(schema, described) };
}

function about({ docs, written }: Described): JsonSchema {
  const isScalar = docs.expected !== undefined;
  return {
    ...(docs.doc === ''
      ? {}
      : { description: isScalar ? `${docs.doc}\nExpects ${docs.expected}.` : docs.doc }),
    ...(isScalar && typeof written === 'object' ? { default: written.default } : {}),
  };
}

function formOf(schema: Schema, { docs }: Described): JsonSchema {
  if (docs.editor !== undefined) return docs.editor;
  const item = listItem(schema);
  if (item !== undefined) return { type: 'array', items: schemaOf(item) };
  const shape = sectionShape(schema);
  if (shape === undefined) return { type: ['string', 'number'] };
  const required = [...shape].filter(([, inner]) => describe(inner).written === 'required');
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required: required.map(([key]) => key) }),
    properties: Object.fromEntries([...shape].map(([key, inner]) => [key, schemaOf(inner)])),
  };
}
