import { describe, expect, it } from 'vitest';
import { OciError } from '../oci/error.ts';
import { UpstreamError, type UpstreamErrorKind } from '../upstream/upstream-error.ts';
import { refusalOf } from './refusal.ts';

describe('refusalOf', () => {
  it.each(['absent', 'denied'] satisfies UpstreamErrorKind[])(
    '%s is 404 with the code that was given',
    (kind) => {
      const cause = new UpstreamError(kind, 'secret.example said no');
      expect(refusalOf(cause, 'BLOB_UNKNOWN')).toMatchObject({
        code: 'BLOB_UNKNOWN',
        status: 404,
        cause,
        detail: { upstream: kind },
        headers: {},
      });
    },
  );

  it.each(['credential', 'throttled', 'unavailable', 'malformed'] satisfies UpstreamErrorKind[])(
    '%s is 503 for a while',
    (kind) => {
      expect(refusalOf(new UpstreamError(kind, kind), 'BLOB_UNKNOWN')).toMatchObject({
        code: 'UNAVAILABLE',
        status: 503,
        detail: { upstream: kind },
        headers: { 'Retry-After': '5' },
      });
    },
  );

  it.each([
    [0, '0'],
    [1, '1'],
    [90_001, '91'],
  ])('an upstream that wants %i ms of rest gets them', (retryAfterMs, expected) => {
    const error = new UpstreamError('throttled', 'slow down', { retryAfterMs });
    expect(refusalOf(error, 'BLOB_UNKNOWN')).toMatchObject({ headers: { 'Retry-After': expected } });
  });

  it('says nothing of the upstream to the client but the kind', () => {
    const refusal = refusalOf(new UpstreamError('denied', 'at secret.example'), 'BLOB_UNKNOWN');
    expect(JSON.stringify(refusal)).not.toContain('secret');
  });

  it.each([new OciError('TAG_INVALID'), new Error('ours'), undefined])('leaves %s as it is', (error) => {
    expect(refusalOf(error, 'BLOB_UNKNOWN')).toBe(error);
  });
});
