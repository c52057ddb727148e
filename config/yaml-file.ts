import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { KeyPath, Problem } from './problems.ts';

export interface YamlFile {
  /** Plain values; empty keys (`cache:` with nothing under it) are left out, as if they were not written. */
  readonly tree: unknown;
  /** `edge.yaml:12`, for the key at `path` or the nearest one above it that is written. */
  originOf(path: KeyPath): string;
  /** What the YAML itself has wrong. */
  readonly problems: readonly Problem[];
}

const maxAliases = 100;

/** Reads one YAML 1.2 document. `name` is what messages call the file. */
export function readYamlFile(name: string, text: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const origin = (offset: number | undefined): string =>
    offset === undefined ? name : `${name}:${lines.linePos(offset).line}`;
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    origin: origin(error.pos[0]),
    path: undefined,
    message: `not valid YAML: ${error.message}`,
  }));
  const originOf = (path: KeyPath): string => origin(offsetOf(document, path));
  if (problems.length > 0) return { tree: {}, originOf, problems };
  try {
    const tree: unknown = document.toJS({ maxAliasCount: maxAliases });
    return { tree: withoutNulls(tree) ?? {}, originOf, problems };
  } catch (error) {
    // The library throws when aliases multiply beyond the limit or lead to nothing.
    const message = `not valid YAML: ${error instanceof Error ? error.message : String(error)}`;
    return { tree: {}, originOf, problems: [{ origin: name, path: undefined, message }] };
  }
}

function offsetOf(document: Document, path: KeyPath): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const step = path[length - 1];
    if (isMap(parent)) {
      const key: unknown = parent.items.find(
        (pair) => isScalar(pair.key) && String(pair.key.value) === step,
      )?.key;
      if (isNode(key)) return startOf(key);
    }
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return startOf(node);
  }
  return undefined;
}

function startOf(node: Node): number | undefined {
  return node.range?.[0];
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item));
  if (typeof value !== 'object') return value;
  const kept = Object.entries(value)
    .map(([key, item]) => [key, withoutNulls(item)] as const)
    .filter(([, item]) => item !== undefined);
  return Object.fromEntries(kept);
}
