import { expect, test } from 'vitest';
import { nextLink } from './link-header.ts';
import { parseRateLimit, RateLimitBudget } from './rate-limit.ts';
import { quoteForeign, redactUrl } from './redact.ts';
import { parseRetryAfterMs } from './retry-after.ts';

test.each<[readonly string[], string | undefined]>([
  [[], undefined],
  [['</v2/a/tags/list?last=b&n=1>; rel="next"'], '/v2/a/tags/list?last=b&n=1'],
  [['<https://h/p?a=1,2>; rel=next'], 'https://h/p?a=1,2'],
  [['<a>; rel="prev", <b>; title="x, y"; rel="next last"'], 'b'],
  [['<a>; rel="prev"', '<b>; REL="NEXT"'], 'b'],
  [['<a>; rel="prev"'], undefined],
  [['a; rel="next"'], undefined],
  [['<a>; rel="nextish"'], undefined],
])('link %j leads to %s', (fields, expected) => {
  expect(nextLink(fields)).toBe(expected);
});

const nowMs = Date.UTC(2026, 0, 1);

test.each([
  [undefined, undefined],
  ['', undefined],
  ['soon', undefined],
  ['0', 0],
  ['120', 120_000],
  [' 7 ', 7000],
  ['99999999', 3_600_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
])('Retry-After %s is %s ms', (field, expected) => {
  expect(parseRetryAfterMs(field, { nowMs, maxMs: 3_600_000 })).toBe(expected);
});

test('reads a pull limit', () => {
  const headers: Record<string, string> = {
    'ratelimit-limit': '100;w=21600',
    'ratelimit-remaining': '76;w=21600',
    'docker-ratelimit-source': '192.0.2.7',
  };
  const limit = parseRateLimit((name) => headers[name]);
  expect(limit).toEqual({ limit: 100, remaining: 76, windowSeconds: 21_600, source: '192.0.2.7' });
});

test.each([{}, { 'ratelimit-remaining': 'many' }, { 'ratelimit-limit': '100;w=21600' }])(
  '%j is no limit',
  (headers) => {
    expect(parseRateLimit((name) => (headers as Record<string, string>)[name])).toBeUndefined();
  },
);

test('a budget without a limit is endless', () => {
  const seen: number[] = [];
  const budget = new RateLimitBudget(({ remaining }) => seen.push(remaining));
  expect(budget.remaining).toBe(Number.POSITIVE_INFINITY);
  budget.update({ limit: 10, remaining: 3, windowSeconds: undefined, source: undefined });
  expect([budget.remaining, seen]).toEqual([3, [3]]);
});

test('what is printed of an address and of a foreign text holds no secret and no line end', () => {
  expect(redactUrl(new URL('https://me:pw@h:1/p?sig=x#y'))).toBe('https://h:1/p');
  expect(quoteForeign(`a\r\nb\u0000\u001b[31m\u2028c ${'x'.repeat(5000)}`)).toMatch(
    /^a b \[31m c x{188,191}$/,
  );
});
