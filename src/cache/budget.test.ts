import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admitBlob, planEviction, type BudgetLimits } from './budget.ts';

const limits: BudgetLimits = {
  maxBytes: 1_000,
  highWatermark: 0.9,
  lowWatermark: 0.6,
  quotaBytes: new Map([['ghcr.io', 100]]),
};

interface Use {
  readonly hub?: number;
  readonly ghcr?: number;
  readonly partialBytes?: number;
  readonly incomingBytes?: number;
}

function plan({ hub = 0, ghcr = 0, partialBytes = 0, incomingBytes = 0 }: Use): {
  quota: number | undefined;
  total: number;
} {
  const bytesByUpstream = new Map([
    ['docker.io', hub],
    ['ghcr.io', ghcr],
  ]);
  const totals = { blobs: 1, bytes: hub + ghcr, bytesByUpstream };
  const { quotas, totalBytes } = planEviction(limits, { totals, partialBytes, incomingBytes });
  return { quota: quotas.get('ghcr.io'), total: totalBytes };
}

describe('planEviction', () => {
  const cases: [string, Use, { quota: number | undefined; total: number }][] = [
    ['nothing stored', {}, { quota: undefined, total: 0 }],
    ['at the high watermark', { hub: 900 }, { quota: undefined, total: 0 }],
    ['a byte above it', { hub: 901 }, { quota: undefined, total: 301 }],
    ['partials count', { hub: 800, partialBytes: 101 }, { quota: undefined, total: 301 }],
    ['so does what is coming', { hub: 800, incomingBytes: 200 }, { quota: undefined, total: 400 }],
    ['more coming than there is room', { incomingBytes: 5_000 }, { quota: undefined, total: 4_400 }],
    ['a quota at its high watermark', { ghcr: 90 }, { quota: undefined, total: 0 }],
    ['a quota above it', { ghcr: 95 }, { quota: 35, total: 0 }],
    ['both', { hub: 850, ghcr: 95 }, { quota: 35, total: 345 }],
  ];
  test.each(cases)('%s', (_, use, expected) => expect(plan(use)).toEqual(expected));

  test('after it is carried out nothing more is to go', () => {
    const amount = fc.integer({ min: 0, max: 2_000 });
    fc.assert(
      fc.property(amount, amount, (hub, ghcr) => {
        const first = plan({ hub, ghcr });
        const fromGhcr = first.quota ?? 0;
        const rest = Math.max(0, first.total - fromGhcr);
        const fromHub = Math.min(hub, rest);
        const left = plan({ hub: hub - fromHub, ghcr: ghcr - fromGhcr - (rest - fromHub) });
        expect(left).toEqual({ quota: undefined, total: 0 });
      }),
    );
  });
});

describe('admitBlob', () => {
  const cases: [number, string, 'store' | 'too-large'][] = [
    [0, 'docker.io', 'store'],
    [600, 'docker.io', 'store'],
    [601, 'docker.io', 'too-large'],
    [60, 'ghcr.io', 'store'],
    [61, 'ghcr.io', 'too-large'],
  ];
  test.each(cases)('%d bytes of %s: %s', (size, upstream, expected) => {
    expect(admitBlob(limits, { size, upstream })).toBe(expected);
  });

  test('a quota above the whole does not lift the whole', () => {
    const generous = { ...limits, quotaBytes: new Map([['ghcr.io', 99_999]]) };
    expect(admitBlob(generous, { size: 601, upstream: 'ghcr.io' })).toBe('too-large');
  });
});
