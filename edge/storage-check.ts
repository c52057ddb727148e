import type { BlobReader } from '../src/blob/blob-store.ts';
import type { HealthCheck } from '../src/http/health.ts';
import { parseDigest, type Digest } from '../src/oci/digest.ts';

/** Looked for to see whether the disk answers; whether it is there does not matter. */
const emptyBlob = parseDigest(
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
) as Digest;

/** Without its disk an edge can serve nothing: readiness falls. */
export function storageCheck(blobs: BlobReader): HealthCheck {
  return {
    name: 'storage',
    required: true,
    check: async () => {
      await blobs.stat(emptyBlob);
      return { healthy: true };
    },
  };
}
