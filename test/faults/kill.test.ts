import { expect, test } from 'vitest';
import { killCycles } from './kill-cycles.ts';

test('killed ten times in the middle of downloads: nothing wrong is stored or served, little is fetched twice', async () => {
  const result = await killCycles(20_261, 10);
  expect(result.kills).toBe(10);
  expect(result.wrongAnswers).toBe(0);
  expect(result.damaged).toEqual([]);
  expect(result.sentBytes).toBeLessThanOrEqual(result.allowedBytes);
});
