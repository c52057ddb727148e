import { expect, test } from 'vitest';
import { startTestServer } from './testing/start-test-server.ts';

test.each([
  ['the asterisk form', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a backslash', 'GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a host that is none', 'GET /healthz HTTP/1.1\r\nHost: a b/c\r\n\r\n'],
])('%s is a bad request', async (_, text) => {
  const answer = { status: 200, headers: {}, body: { kind: 'bytes' as const, bytes: Buffer.from('ok') } };
  await using server = await startTestServer({ handle: () => answer });
  const request = text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  expect(await server.exchange(request)).toMatch(/^HTTP\/1.1 400 /);
});
