import type { HttpAnswer } from './http-transport.ts';

/**
 * Reads a whole body of at most `maxBytes`; `undefined` as soon as it turns out longer, without reading on. Fails as the
 * body does.
 */
export async function readBody(answer: HttpAnswer, maxBytes: number): Promise<Uint8Array | undefined> {
  const announced = Number(answer.header('content-length') ?? 0);
  if (announced > maxBytes) {
    answer.discard();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
