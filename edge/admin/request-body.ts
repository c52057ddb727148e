import type { Context } from 'hono';
import type { z } from 'zod';
import { RequestError } from './api-error.ts';

/** A list of ten thousand long image names fits. */
const maxBodyBytes = 4 * 1024 * 1024;

/** Reads a JSON body; an empty one counts as `{}`. Fails with RequestError. */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(context);
  let json: unknown;
  try {
    json = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new RequestError('INVALID', 'the body is no JSON');
  }
  return checked(json, schema);
}

/** Fails with RequestError that says what is wrong with which field. */
export function checked<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new RequestError('INVALID', problems.join('; '));
}

async function readText(context: Context): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of context.req.raw.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes)
      throw new RequestError('TOO_LARGE', `the body is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
