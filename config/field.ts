import { z } from 'zod';
import { suggest } from './suggest.ts';

/** What the reference and the error messages say about one setting. */
export interface FieldDoc {
  readonly doc: string;
  /** Completes "expected ...". Absent for sections and lists, which have fields of their own. */
  readonly expected?: string;
  /** Overrides the environment variable that follows from the key path. */
  readonly env?: string;
  /** What an editor can check of the form that a file has: keywords of JSON Schema. Default: a text or a number. */
  readonly editor?: EditorHint;
}

export interface EditorHint {
  readonly [keyword: string]: string | number | readonly string[] | EditorHint | readonly EditorHint[];
}

export const fieldDocs = z.registry<FieldDoc>();

export interface FieldSpec<Value> extends FieldDoc {
  readonly expected: string;
  /** Returns `undefined` for what is not `expected`; calls `reject` where it can say more exactly what is wrong. */
  readonly parse: (text: string, reject: (why: string) => undefined) => Value | undefined;
  readonly format: (value: Value) => string | number | boolean;
  /** True keeps the text out of messages. */
  readonly secret?: boolean;
}

const maxTextLength = 4096;

/**
 * A setting with one value. Files, environment and flags all give text to `parse`, so that a value means the same
 * wherever it stands; encoding the schema gives back the form a file would have.
 */
export function field<Value>(spec: FieldSpec<Value>) {
  const { parse, format, secret = false, ...docs } = spec;
  const expected = (got: unknown): string =>
    got === undefined
      ? `is required: expected ${spec.expected}`
      : `expected ${spec.expected}${secret ? '' : `, got ${show(got)}`}`;
  const written = z.union([z.string().max(maxTextLength), z.number(), z.boolean()], {
    error: (issue) => expected(issue.input),
  });
  const codec = z.codec(written, z.custom<Value>(), {
    decode: (input, context) => {
      let why = expected(input);
      const value = parse(String(input), (reason) => void (why = reason));
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: why, input: undefined });
      return z.NEVER;
    },
    encode: (value) => format(value),
  });
  return codec.register(fieldDocs, docs);
}

/** A group of settings; keys that are not in `shape` are errors. */
export function section<Shape extends z.core.$ZodLooseShape>(doc: string, shape: Shape) {
  return z
    .strictObject(shape, {
      error: (issue) => (issue.code === 'invalid_type' ? notA('a group of keys', issue.input) : undefined),
    })
    .register(fieldDocs, { doc });
}

const maxListLength = 1000;

/** A list of sections or values, at most 1000 long. */
export function list<Item extends z.ZodType>(doc: string, item: Item) {
  return z
    .array(item, {
      error: (issue) => (issue.code === 'invalid_type' ? notA('a list', issue.input) : undefined),
    })
    .max(maxListLength, { error: `expected at most ${maxListLength} entries` })
    .register(fieldDocs, { doc });
}

/** One of a few words. */
export function choice<const Word extends string>(doc: string, words: readonly Word[]) {
  const expected = words.length === 1 ? String(words[0]) : `one of ${words.join(', ')}`;
  return field<Word>({
    doc,
    expected,
    editor: { enum: words },
    parse: (text, reject) => {
      const word = words.find((candidate) => candidate === text);
      const near = word === undefined ? suggest(text, words) : undefined;
      return near === undefined
        ? word
        : reject(`expected ${expected}, got ${show(text)}; did you mean "${near}"?`);
    },
    format: (word) => word,
  });
}

export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a group of keys';
  const text = String(value);
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

function notA(wanted: string, got: unknown): string {
  return got === undefined ? `is required: expected ${wanted}` : `expected ${wanted}, got ${show(got)}`;
}
