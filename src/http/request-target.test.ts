import { expect, test } from 'vitest';
import { parseRequestTarget } from './request-target.ts';

test.each([
  ['/v2/', '/v2/', ''],
  ['/v2/?ns=a', '/v2/', 'ns=a'],
  ['/a?b?c', '/a', 'b?c'],
  ['//v2/a', '//v2/a', ''],
  ['http://host:5000/v2/?ns=a', '/v2/', 'ns=a'],
  ['HTTPS://host', '/', ''],
  ['http://host?x=1', '/', 'x=1'],
  ['*', '*', ''],
])('%s', (url, path, query) => {
  expect(parseRequestTarget(url)).toEqual({ path, query });
});
