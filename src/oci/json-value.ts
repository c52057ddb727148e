/** An object of parsed JSON, looked at field by field: nothing about its content is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** An own field; `undefined` too where `json` is no object. */
export function field(json: unknown, name: string): unknown {
  return isJsonObject(json) && Object.hasOwn(json, name) ? json[name] : undefined;
}

/** A field that is text and not empty. */
export function textField(json: unknown, name: string): string | undefined {
  const value = field(json, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The text values of a field that maps names to text; others are left out. */
export function textMapField(json: unknown, name: string): Readonly<Record<string, string>> | undefined {
  const value = field(json, name);
  if (!isJsonObject(value)) return undefined;
  const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';
  // fromEntries defines own properties, so that a field called `__proto__` is one like the others.
  return Object.fromEntries(Object.entries(value).filter((entry) => isText(entry)));
}

const quote = 0x22;
const escape = 0x5c;

/**
 * Whether JSON text in UTF-8 nests deeper than `maxDepth`, told before it is parsed: deep values cost far more memory
 * than their text, and break whoever walks them by recursion. Of text that is no JSON the answer means nothing.
 */
export function nestsDeeperThan(json: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === quote) {
      inText = !inText;
    } else if (inText) {
      if (byte === escape) at += 1;
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (byte === 0x5d || byte === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}
