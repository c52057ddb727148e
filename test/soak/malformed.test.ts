import { expect, test } from 'vitest';
import { malformedFlood } from '../faults/malformed-flood.ts';

test('10,000 malformed requests', async () => {
  const result = await malformedFlood(31_415_926, 10_000);
  console.info('answers by status', Object.fromEntries(result.statuses));
  expect(result.offending).toEqual([]);
  expect(result.servesCached).toBe(true);
  expect(result.strayFiles).toEqual([]);
  expect(result.residentBytes).toBeLessThan(256 * 1024 * 1024);
});
