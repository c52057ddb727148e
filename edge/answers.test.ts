import { describe, expect, it } from 'vitest';
import { content, image } from '../test/fakes/images.ts';
import { MemoryByteSource } from '../src/blob/memory-byte-source.ts';
import type { CacheOutcome } from '../src/cache/cache-outcome.ts';
import { hotManifest } from '../src/cache/hot-manifests.ts';
import {
  blobAnswer,
  cacheResult,
  cacheStatus,
  jsonAnswer,
  manifestAnswer,
  referrersIndex,
} from './answers.ts';

const miss = { kind: 'forward', reason: 'miss', stored: true, collapsed: false } as const;
const stale: CacheOutcome = { kind: 'stale', ageMs: 100_400, overdueMs: 40_400, detail: 'throttled' };

describe('the outcome', () => {
  it.each<[CacheOutcome, string, string]>([
    [{ kind: 'hit' }, 'wherry; hit', 'hit'],
    [miss, 'wherry; fwd=miss; stored', 'miss'],
    [{ ...miss, collapsed: true }, 'wherry; fwd=miss; stored; collapsed', 'collapsed'],
    [{ ...miss, reason: 'stale' }, 'wherry; fwd=stale; stored', 'revalidated'],
    [{ ...miss, stored: false }, 'wherry; fwd=miss', 'miss'],
    [stale, 'wherry; hit; ttl=-40; detail=throttled', 'stale'],
    [{ kind: 'pass-through' }, 'wherry; fwd=miss; detail=pass-through', 'pass-through'],
  ])('%j is %s to the client and %s to the log', (outcome, header, word) => {
    expect([cacheStatus(outcome), cacheResult(outcome)]).toEqual([header, word]);
  });
});

describe('a manifest', () => {
  const { digest, mediaType, bytes } = image().manifest;

  it('keeps its bytes and its type, and says what it is', () => {
    const answer = manifestAnswer(
      { manifest: hotManifest(digest, mediaType, bytes), outcome: miss },
      { a: 1 },
    );
    expect(answer).toEqual({
      status: 200,
      headers: {
        'Content-Type': mediaType,
        'Docker-Content-Digest': digest,
        ETag: `"${digest}"`,
        'Cache-Status': 'wherry; fwd=miss; stored',
      },
      body: { kind: 'bytes', bytes },
      log: { a: 1 },
    });
  });

  it('past its freshness carries its age', () => {
    const answer = manifestAnswer({ manifest: hotManifest(digest, mediaType, bytes), outcome: stale }, {});
    expect(answer.headers).toMatchObject({ Age: '100' });
  });
});

it('a blob opens what the writer wants', async () => {
  const { digest } = content('blob');
  const opened: unknown[] = [];
  const found = {
    digest,
    size: 10,
    outcome: { kind: 'hit' },
    open: async (start: number, end: number | undefined) => {
      opened.push([start, end]);
      return new MemoryByteSource(new Uint8Array());
    },
  } as const;
  const { body, headers } = blobAnswer(found, {});
  expect(headers).toEqual({ 'Cache-Status': 'wherry; hit' });
  if (body.kind !== 'blob') throw new Error('no blob');
  await body.content.open({ kind: 'whole' });
  await body.content.open({ kind: 'from', start: 3 });
  await body.content.open({ kind: 'slice', start: 2, end: 5 });
  expect(opened).toEqual([
    [0, undefined],
    [3, undefined],
    [2, 5],
  ]);
});

it('a list is JSON, of a type of its own where it has one', () => {
  const plain = jsonAnswer({ value: { tags: [] }, outcome: stale, log: {} });
  expect(plain.headers).toMatchObject({ 'Content-Type': 'application/json', Age: '100' });
  const typed = jsonAnswer({
    value: referrersIndex([{ a: 1 }]),
    mediaType: 'application/vnd.oci.image.index.v1+json',
    outcome: { kind: 'hit' },
    headers: { Link: '<x>' },
    log: {},
  });
  expect(typed.headers).toMatchObject({
    'Content-Type': 'application/vnd.oci.image.index.v1+json',
    Link: '<x>',
  });
  if (typed.body.kind !== 'bytes') throw new Error('no bytes');
  expect(JSON.parse(Buffer.from(typed.body.bytes).toString())).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ a: 1 }],
  });
});
