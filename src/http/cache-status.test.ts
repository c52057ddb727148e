import { expect, test } from 'vitest';
import { formatCacheStatus, type CacheStatus } from './cache-status.ts';

const cases: [string, CacheStatus][] = [
  ['wherry; hit', { kind: 'hit' }],
  ['wherry; hit; ttl=42', { kind: 'hit', ttlSeconds: 42.9 }],
  ['wherry; hit; ttl=-5; detail=memory', { kind: 'hit', ttlSeconds: -5, detail: 'memory' }],
  ['wherry; fwd=miss', { kind: 'forward', reason: 'miss', stored: false, collapsed: false }],
  [
    'wherry; fwd=miss; stored; collapsed; detail=peer',
    { kind: 'forward', reason: 'miss', stored: true, collapsed: true, detail: 'peer' },
  ],
  ['wherry; fwd=stale; fwd-status=503', { kind: 'forward', reason: 'stale', status: 503 }],
  ['wherry; hit; detail="disk full"', { kind: 'hit', detail: 'disk full' }],
  [String.raw`wherry; hit; detail="a \"b\" \\c"`, { kind: 'hit', detail: String.raw`a "b" \c` }],
  ['wherry; hit; detail="?? x-y: z?"', { kind: 'hit', detail: '\r\n x-y: z\u00e9' }],
  ['wherry; hit; detail=""', { kind: 'hit', detail: '' }],
  ['wherry; hit; detail="1st"', { kind: 'hit', detail: '1st' }],
];

test.each(cases)('%s', (expected, status) => {
  expect(formatCacheStatus(status)).toBe(expected);
});
