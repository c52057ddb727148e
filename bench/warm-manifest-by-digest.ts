import type { Question } from './question.ts';
import { measureWarmManifest } from './warm-manifest.ts';

export const warmManifestByDigest: Question = {
  name: 'warm-manifest-by-digest',
  run: (bench) => measureWarmManifest(bench, { by: 'digest', leastOfRegistry: 25, leastOfNginx: 0.25 }),
};
