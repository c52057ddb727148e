import { z } from 'zod';
import { fieldDocs, type FieldDoc } from './field.ts';

/** A schema without its wrappers: what it says, what it is, and what stands where nothing is written. */
export interface Described {
  readonly docs: FieldDoc;
  readonly schema: z.core.$ZodType;
  readonly written: 'required' | 'optional' | { readonly default: unknown };
}

/** Takes defaults, options and renaming off a schema made with `field`, `section`, `list` and `withUnits`. */
export function describe(schema: z.core.$ZodType): Described {
  let inner = schema;
  let written: Described['written'] = 'required';
  for (;;) {
    const docs = fieldDocs.get(inner);
    if (inner instanceof z.ZodPrefault) {
      written = { default: inner.def.defaultValue };
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodOptional) {
      written = 'optional';
      inner = inner.def.innerType;
    } else if (docs === undefined && inner instanceof z.ZodPipe) {
      inner = inner.def.in;
    } else {
      return { docs: docs ?? { doc: '' }, schema: inner, written };
    }
  }
}

/** The keys of a section, in the order of the schema; `undefined` for what is no section. */
export function sectionShape(schema: z.core.$ZodType): ReadonlyMap<string, z.core.$ZodType> | undefined {
  const inner = describe(schema).schema;
  return inner instanceof z.ZodObject ? new Map(Object.entries<z.core.$ZodType>(inner.shape)) : undefined;
}

/** What the entries of a list look like; `undefined` for what is no list. */
export function listItem(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const inner = describe(schema).schema;
  return inner instanceof z.ZodArray ? inner.element : undefined;
}

/** The schema at a path; `undefined` where the path leaves the schema. */
export function schemaAt(root: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = root;
  for (const step of path) {
    if (schema === undefined) return undefined;
    schema = typeof step === 'number' ? listItem(schema) : sectionShape(schema)?.get(String(step));
  }
  return schema;
}

export interface ScalarField {
  readonly path: readonly string[];
  readonly described: Described;
  /** The environment variable that sets it. */
  readonly env: string;
}

/** Every setting with one value that stands outside lists: those that an environment variable can set. */
export function scalarFields(root: z.core.$ZodType, path: readonly string[] = []): readonly ScalarField[] {
  const shape = sectionShape(root);
  if (shape === undefined) {
    const described = describe(root);
    const env = described.docs.env ?? environmentName(path);
    return listItem(root) === undefined ? [{ path, described, env }] : [];
  }
  return [...shape].flatMap(([key, schema]) => scalarFields(schema, [...path, key]));
}

/** `cache.maxFills` gives `WHERRY_CACHE_MAX_FILLS`. */
function environmentName(path: readonly string[]): string {
  return [
    'WHERRY',
    ...path.map((key) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()),
  ].join('_');
}
