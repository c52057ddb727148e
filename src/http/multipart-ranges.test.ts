import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { MemoryContent, patternBytes } from './testing/memory-content.ts';
import { frameRanges } from './multipart-ranges.ts';
import { parseMultipart } from './testing/parse-multipart.ts';

const content = new MemoryContent(patternBytes(5000));

const span = fc
  .tuple(fc.nat(4999), fc.nat(4999))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) + 1 }));

test('what is framed can be parsed back, and its length is exact', () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 64 }), (spans) => {
      const frame = frameRanges(content.digest, content.size, spans);
      const body = Buffer.concat([
        ...spans.flatMap(({ start, end }, i) => [frame.heads[i]!, content.bytes.subarray(start, end)]),
        frame.tail,
      ]);
      expect(body.length).toBe(frame.contentLength);
      const parts = parseMultipart(frame.contentType, body.toString('latin1'));
      expect(parts.map((part) => part.range)).toEqual(
        spans.map(({ start, end }) => `bytes ${start}-${end - 1}/5000`),
      );
      expect(parts.map((part) => part.bytes)).toEqual(
        spans.map(({ start, end }) => content.bytes.toString('latin1', start, end)),
      );
    }),
    { numRuns: 50 },
  );
});
