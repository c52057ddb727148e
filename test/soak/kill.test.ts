import { expect, test } from 'vitest';
import { killCycles } from '../faults/kill-cycles.ts';

test('killed 200 times in the middle of downloads', async () => {
  const result = await killCycles(7_041_776, 200);
  console.info('kill cycles', result);
  expect(result.kills).toBe(200);
  expect(result.wrongAnswers).toBe(0);
  expect(result.damaged).toEqual([]);
  expect(result.sentBytes).toBeLessThanOrEqual(result.allowedBytes);
});
