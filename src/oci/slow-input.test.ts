import { describe, expect, it } from 'vitest';
import { parseChunkRange, parseContentRange, parseRangeHeader } from './byte-range.ts';
import { parseDigest } from './digest.ts';
import { parseImageName } from './image-name.ts';
import { parseManifest } from './manifest.ts';
import { normaliseMediaType } from './media-type.ts';
import { parsePlatform } from './platform.ts';
import { parseReference } from './reference.ts';
import { parseRepositoryName } from './repository-name.ts';
import { parseRoute } from './route.ts';
import { parseScope, parseScopes } from './scope.ts';

/** Coarse on purpose: linear work takes well under a millisecond, catastrophic backtracking takes seconds. */
const budgetMs = 50;
const length = 32_000;

const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  parseRoute: (text) => parseRoute(`/v2/${text}`),
  parseRangeHeader: (text) => parseRangeHeader(`bytes=${text}`, 1_000),
  parseContentRange: (text) => parseContentRange(`bytes ${text}`),
  parseChunkRange,
  parseDigest: (text) => parseDigest(`sha256:${text}`),
  parseImageName,
  parseManifest: (text) => parseManifest(new TextEncoder().encode(text), 'x/y'),
  normaliseMediaType,
  parsePlatform,
  parseReference,
  parseRepositoryName,
  parseScope: (text) => parseScope(`repository:${text}:pull`),
  parseScopes,
};

const fills = [
  'a',
  '/',
  '.',
  '-',
  '_',
  ':',
  ',',
  ' ',
  '\t',
  '0',
  '%',
  '%41',
  'a-',
  'a/',
  '[',
  '{"a":',
  '0-0,',
  ' ,',
  ' x',
  '\\',
];

describe('long inputs', () => {
  it.each(Object.keys(parsers))('%s reads each within its budget', (name) => {
    for (const fill of fills) {
      for (const [begin, end] of [
        ['', ''],
        ['', '!'],
        ['0', '!'],
      ]) {
        const text = begin + fill.repeat(Math.ceil(length / fill.length)) + end;
        const startMs = performance.now();
        parsers[name]?.(text);
        expect(performance.now() - startMs, `${name} of ${JSON.stringify(fill)} repeated`).toBeLessThan(
          budgetMs,
        );
      }
    }
  });
});
