import { join } from 'node:path';
import { digestAlgorithm, digestHex, parseDigest, type Digest } from '../oci/digest.ts';

/**
 * Where things lie below the root of a disk blob store; the only place that knows.
 *
 *     <root>/                             0700, as all folders
 *       blobs/<alg>/<aa>/<hex>            0440; committed; <aa> are the first two digits, made on demand
 *       partials/<alg>-<hex>.part         0600; bytes of an unfinished blob, with holes
 *       partials/<alg>-<hex>.ranges       0600; which of them are here (RangeRecord)
 *       quarantine/<alg>-<hex>            0440; damaged blobs, for whoever investigates
 *       temp/<n>                          0600; what is being written; emptied at opening
 */
export class DiskLayout {
  readonly root: string;
  readonly blobs: string;
  readonly partials: string;
  readonly quarantine: string;
  readonly temp: string;

  constructor(root: string) {
    this.root = root;
    this.blobs = join(root, 'blobs');
    this.partials = join(root, 'partials');
    this.quarantine = join(root, 'quarantine');
    this.temp = join(root, 'temp');
  }

  /** Every folder that exists from the opening on, parents first. */
  get folders(): readonly string[] {
    const algorithms = [join(this.blobs, 'sha256'), join(this.blobs, 'sha512')];
    return [this.root, this.blobs, ...algorithms, this.partials, this.quarantine, this.temp];
  }

  algorithmFolder(digest: Digest): string {
    return join(this.blobs, digestAlgorithm(digest));
  }

  blobFolder(digest: Digest): string {
    return join(this.algorithmFolder(digest), digestHex(digest).slice(0, 2));
  }

  blob(digest: Digest): string {
    return join(this.blobFolder(digest), digestHex(digest));
  }

  part(digest: Digest): string {
    return join(this.partials, `${flatName(digest)}${partSuffix}`);
  }

  ranges(digest: Digest): string {
    return join(this.partials, `${flatName(digest)}${rangesSuffix}`);
  }

  quarantined(digest: Digest): string {
    return join(this.quarantine, flatName(digest));
  }

  tempFile(serial: number): string {
    return join(this.temp, String(serial));
  }
}

const partSuffix = '.part';
const rangesSuffix = '.ranges';

/** What a name in `partials/` stands for; `undefined` for a stranger's file. */
export function parsePartialName(
  name: string,
): { readonly kind: 'part' | 'ranges'; readonly digest: Digest } | undefined {
  const suffix = name.endsWith(partSuffix) ? partSuffix : rangesSuffix;
  if (!name.endsWith(suffix)) return undefined;
  const digest = parseDigest(name.slice(0, -suffix.length).replace('-', ':'));
  return digest && { kind: suffix === partSuffix ? 'part' : 'ranges', digest };
}

function flatName(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`;
}
