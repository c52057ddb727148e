import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RangeSet } from '../base/range-set.ts';
import { parseDigest } from '../oci/digest.ts';
import {
  formatRangeRecord,
  maxRangeRecordBytes,
  maxRecordedSpans,
  parseRangeRecord,
} from './range-record.ts';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)!;

const anyPresent = fc
  .array(fc.tuple(fc.nat({ max: 2 ** 40 }), fc.integer({ min: 1, max: 2 ** 30 })), { maxLength: 20 })
  .map((pairs) => RangeSet.from(pairs.map(([start, length]) => ({ start, end: start + length }))));

test('what was formatted is parsed', () => {
  fc.assert(
    fc.property(anyPresent, fc.option(fc.nat({ max: 1000 }), { nil: undefined }), (present, slack) => {
      const size = slack === undefined ? undefined : (present.spans.at(-1)?.end ?? 0) + slack;
      const parsed = parseRangeRecord(formatRangeRecord({ digest, size, present }), digest);
      expect(parsed?.size).toBe(size);
      expect(parsed?.present.spans).toEqual(present.spans);
    }),
  );
});

test('any cut, any changed byte and any added byte is noticed', () => {
  const whole = formatRangeRecord({ digest, size: 100, present: RangeSet.from([{ start: 3, end: 50 }]) });
  for (let index = 0; index < whole.length; index += 1) {
    expect(parseRangeRecord(whole.subarray(0, index), digest)).toBeUndefined();
    const changed = Buffer.from(whole);
    changed[index]! ^= 1;
    expect(parseRangeRecord(changed, digest)).toBeUndefined();
  }
  expect(parseRangeRecord(Buffer.concat([whole, Buffer.from('x')]), digest)).toBeUndefined();
  expect(parseRangeRecord(Buffer.concat([whole, Buffer.from('\n')]), digest)).toBeUndefined();
});

test('arbitrary bytes are no record and no exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(parseRangeRecord(bytes, digest)).toBeUndefined();
    }),
  );
});

test('a record of another blob is not believed, nor one that goes beyond the size', () => {
  const other = parseDigest(`sha256:${'b'.repeat(64)}`)!;
  const present = RangeSet.from([{ start: 0, end: 50 }]);
  expect(parseRangeRecord(formatRangeRecord({ digest, size: 50, present }), other)).toBeUndefined();
  expect(parseRangeRecord(formatRangeRecord({ digest, size: 49, present }), digest)).toBeUndefined();
});

test('of too many spans the first are recorded, within the size limit', () => {
  const base = 2 ** 52;
  const spans = Array.from({ length: maxRecordedSpans + 10 }, (_, index) => ({
    start: base + index * 2,
    end: base + index * 2 + 1,
  }));
  const bytes = formatRangeRecord({ digest, size: undefined, present: RangeSet.from(spans) });
  expect(bytes.length).toBeLessThan(maxRangeRecordBytes);
  expect(parseRangeRecord(bytes, digest)?.present.spans).toEqual(spans.slice(0, maxRecordedSpans));
});
