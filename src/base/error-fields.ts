/** Errors nest and join: how deep causes are followed and how many joined errors are shown. */
const maxDepth = 5;
const maxJoined = 10;

export type ErrorFields = Readonly<Record<string, unknown>>;

/**
 * An error as a log line shows it: `name`, `message`, `code`, `stack` (of the outermost one), further own fields that are
 * plain values, `cause` and joined `errors` alike. Own fields that are objects stay out: headers, sockets and bodies hang
 * there, with secrets in them. What was thrown without being an Error is shown as text.
 */
export function errorFields(thrown: unknown): unknown {
  return describe(thrown, 0);
}

function describe(thrown: unknown, depth: number): unknown {
  if (!(thrown instanceof Error)) return isPlain(thrown) ? thrown : Object.prototype.toString.call(thrown);
  const fields: Record<string, unknown> = { name: thrown.name, message: thrown.message };
  for (const [key, value] of Object.entries(thrown)) {
    if (isPlain(value) && value !== undefined) fields[key] = value;
  }
  if (depth < maxDepth) {
    if (thrown.cause !== undefined) fields['cause'] = describe(thrown.cause, depth + 1);
    if (thrown instanceof AggregateError) {
      fields['errors'] = thrown.errors.slice(0, maxJoined).map((error) => describe(error, depth + 1));
    }
  }
  if (depth === 0) fields['stack'] = thrown.stack;
  return fields;
}

function isPlain(value: unknown): boolean {
  return (
    value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
  );
}
