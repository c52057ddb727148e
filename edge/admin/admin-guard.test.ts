import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { adminAccess } from './admin-access.ts';
import { adminGuard } from './admin-guard.ts';
import { answerError } from './api-error.ts';

const secret = 'a-token-of-some-length';

async function status(
  token: string | undefined,
  headers: Record<string, string>,
  listenHost = '127.0.0.1',
): Promise<number> {
  const app = new Hono();
  app.onError((error, context) => answerError(context, error, silentLogger));
  app.use(adminGuard(adminAccess(token, listenHost)));
  app.all('*', (context) => context.text('in'));
  const response = await app.request('/', { method: 'POST', headers });
  return response.status;
}

test.each([
  ['the loopback address', { host: '127.0.0.1:5002' }],
  ['an IPv6 address', { host: '[::1]:5002' }],
  ['localhost', { host: 'localhost:5002' }],
  [
    'its own page',
    { host: 'localhost:5002', origin: 'http://localhost:5002', 'sec-fetch-site': 'same-origin' },
  ],
  ['the address bar', { host: 'localhost', 'sec-fetch-site': 'none' }],
])('without a token %s is let in', async (_, headers) => {
  expect(await status(undefined, headers)).toBe(200);
});

test.each([
  ['a name that was made to point here', { host: 'rebound.example.com:5002' }],
  ['a name that looks like an address', { host: '127.0.0.1.example.com' }],
  ['no name at all', {}],
  ['a page of another site', { host: 'localhost:5002', origin: 'https://example.com' }],
  ['a page of another port', { host: 'localhost:5002', origin: 'http://localhost:8080' }],
  ['a page that hides its origin', { host: 'localhost:5002', origin: 'null' }],
  ['what the browser calls cross-site', { host: 'localhost:5002', 'sec-fetch-site': 'cross-site' }],
  ['what the browser calls same-site', { host: 'localhost:5002', 'sec-fetch-site': 'same-site' }],
])('without a token %s is refused', async (_, headers) => {
  expect(await status(undefined, headers)).toBe(403);
});

test.each(['0.0.0.0', '::', '10.0.0.5', 'edge.example.com'])(
  'without a token nobody calls the API of a listener on %s',
  async (listenHost) => {
    expect(await status(undefined, { host: '127.0.0.1' }, listenHost)).toBe(403);
    expect(await status(secret, { authorization: `Bearer ${secret}` }, listenHost)).toBe(200);
  },
);

test.each([
  ['the token, under any name', { authorization: `Bearer ${secret}`, host: 'edge.example.com' }, 200],
  ['no token', { host: '127.0.0.1' }, 401],
  ['another token', { authorization: 'Bearer another-token-of-some-length', host: '127.0.0.1' }, 401],
  ['a part of it', { authorization: `Bearer ${secret.slice(0, -1)}`, host: '127.0.0.1' }, 401],
  ['another scheme', { authorization: `Basic ${secret}`, host: '127.0.0.1' }, 401],
  ['the token, from another site', { authorization: `Bearer ${secret}`, origin: 'https://example.com' }, 403],
])('with a token: %s', async (_, headers, expected) => {
  expect(await status(secret, headers)).toBe(expected);
});
