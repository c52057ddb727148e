import { describe, expect, it } from 'vitest';
import { errorFields } from './error-fields.ts';

describe('errorFields', () => {
  it('shows name, message, code, stack and causes', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', port: 443 });
    const error = Object.assign(new TypeError('fetch failed', { cause }), { code: 'UNAVAILABLE' });
    expect(errorFields(error)).toEqual({
      name: 'TypeError',
      message: 'fetch failed',
      code: 'UNAVAILABLE',
      stack: error.stack,
      cause: { name: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED', port: 443 },
    });
  });

  it('leaves out objects that hang on an error', () => {
    const error = Object.assign(new Error('refused'), {
      headers: { authorization: 'Bearer secret' },
      status: 401,
    });
    expect(JSON.stringify(errorFields(error))).not.toContain('secret');
    expect(errorFields(error)).toMatchObject({ status: 401 });
  });

  it('shows joined errors, at most ten', () => {
    const joined = new AggregateError(Array.from({ length: 12 }, (_, index) => new Error(`no ${index}`)));
    const fields = errorFields(joined) as { errors: unknown[] };
    expect(fields.errors).toHaveLength(10);
    expect(fields.errors[9]).toEqual({ name: 'Error', message: 'no 9' });
  });

  it('ends with causes that form a circle', () => {
    const error = new Error('round');
    error.cause = error;
    expect(JSON.stringify(errorFields(error)).match(/"message"/g)).toHaveLength(6);
  });

  it.each([
    ['text', 'text'],
    [undefined, undefined],
    [null, null],
    [{ headers: {} }, '[object Object]'],
  ])('shows %j, thrown without being an Error, as %j', (thrown, shown) => {
    expect(errorFields(thrown)).toBe(shown);
  });
});
