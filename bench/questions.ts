import { coldBlobShaped } from './cold-blob-shaped.ts';
import { coldBlob } from './cold-blob.ts';
import { herd } from './herd.ts';
import { idleMemory } from './idle-memory.ts';
import type { Question } from './question.ts';
import { startFull } from './start-full.ts';
import { streamMemory } from './stream-memory.ts';
import { warmBlob } from './warm-blob.ts';
import { warmManifestByDigest } from './warm-manifest-by-digest.ts';
import { warmManifestByTag } from './warm-manifest-by-tag.ts';

/** In the order of the table. */
export const questions: readonly Question[] = [
  warmManifestByTag,
  warmManifestByDigest,
  warmBlob,
  coldBlob,
  coldBlobShaped,
  herd,
  idleMemory,
  streamMemory,
  startFull,
];
