import * as z from 'zod';
import { type Digest, parseDigest } from '../oci/digest.ts';

/** A digest in a record on disk. */
export const storedDigest = z.string().transform((text, context): Digest => {
  const digest = parseDigest(text);
  if (digest !== undefined) return digest;
  context.addIssue('not a digest');
  return z.NEVER;
});
