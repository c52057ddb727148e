import { describe, expect, it } from 'vitest';
import { OciError, ociErrorCodes, type OciErrorCode } from './error.ts';

const statuses: Readonly<Record<OciErrorCode, number>> = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  REQUEST_INVALID: 400,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
};

describe('OciError', () => {
  it.each(Object.entries(statuses))('%s is %d', (code, status) => {
    const error = new OciError(code as OciErrorCode);
    expect(error.status).toBe(status);
    expect(error.toJSON()).toEqual({
      errors: [{ code, message: ociErrorCodes[code as OciErrorCode].message }],
    });
  });

  it('has a status for each code', () => {
    expect(Object.keys(ociErrorCodes).sort()).toEqual(Object.keys(statuses).sort());
  });

  it('spells codes as distribution-spec wants them', () => {
    for (const code of Object.keys(ociErrorCodes)) expect(code).toMatch(/^[A-Z_]+$/);
  });

  it('shows its detail, and keeps headers and cause for the server', () => {
    const cause = new Error('why');
    const error = new OciError('TOOMANYREQUESTS', {
      detail: { tag: 'x' },
      headers: { 'Retry-After': '5' },
      cause,
    });
    expect(error.toJSON().errors[0].detail).toEqual({ tag: 'x' });
    expect([error.headers['Retry-After'], error.cause]).toEqual(['5', cause]);
  });
});
