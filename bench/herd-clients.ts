import { createHash } from 'node:crypto';
import { get } from 'node:http';

export interface HerdOptions {
  readonly url: string;
  readonly clients: number;
  readonly digest: string;
}

/** Longer without a byte is as good as never. */
const stallMs = 20_000;

/** Many clients that ask for the same blob at the same moment; gives how many got something else than the blob. */
export async function sendHerd({ url, clients, digest }: HerdOptions): Promise<number> {
  const outcomes = await Promise.all(Array.from({ length: clients }, () => bodyDigest(url)));
  return outcomes.filter((outcome) => outcome !== digest).length;
}

/** The digest of the body, or what went wrong in place of it. */
function bodyDigest(url: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => {
      const hash = createHash('sha256');
      response.on('data', (chunk: Buffer) => hash.update(chunk));
      response.once('end', () => resolve(`sha256:${hash.digest('hex')}`));
      response.once('error', (error) => resolve(error.message));
    });
    request.setTimeout(stallMs, () => request.destroy(new Error('stalled')));
    request.once('error', (error) => resolve(error.message));
  });
}
