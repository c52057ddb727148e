import type { Question } from './question.ts';
import { measureWarmManifest } from './warm-manifest.ts';

export const warmManifestByTag: Question = {
  name: 'warm-manifest-by-tag',
  run: (bench) => measureWarmManifest(bench, { by: 'tag', leastOfRegistry: 30, leastOfNginx: 0.25 }),
};
