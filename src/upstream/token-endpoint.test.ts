import { expect, test } from 'vitest';
import { ManualClock } from '../base/manual-clock.ts';
import type { HttpAnswer, HttpTransport } from './http-transport.ts';
import { TokenEndpoint } from './token-endpoint.ts';

const clock = new ManualClock();
const request = { realm: new URL('https://registry.test/token'), service: 'registry.test', scope: '' };

/** Answers everything with this. */
function answering(body: object): HttpTransport {
  const send = async (): Promise<HttpAnswer> => ({
    status: 200,
    url: request.realm,
    header: () => undefined,
    headerLines: () => [],
    body: (async function* () {
      yield Buffer.from(JSON.stringify(body));
    })(),
    discard: () => undefined,
  });
  return { send, upstreamIsPrivate: false, close: async () => undefined };
}

function jwt(endsInSeconds: number): string {
  const exp = clock.nowMs() / 1000 + endsInSeconds;
  return `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.c2ln`;
}

test.each<[string, object, number]>([
  ['as it says', { token: 'opaque', expires_in: 300 }, 300],
  ['as it says in digits', { token: 'opaque', expires_in: '300' }, 300],
  ['as it says, whatever the token does', { token: jwt(1800), expires_in: 300 }, 300],
  ['as the token says, like Quay’s', { token: jwt(1800) }, 1800],
  ['as the token says, like Azure’s', { access_token: jwt(1800) }, 1800],
  ['an hour at most', { token: jwt(86_400) }, 3600],
  ['a minute where nothing says', { token: 'opaque' }, 60],
  ['a minute where the clocks differ', { token: jwt(-10) }, 60],
  ['a minute where it makes no sense', { token: 'opaque', expires_in: 'soon' }, 60],
])('an answer is good for %s', async (_, body, seconds) => {
  const endpoint = new TokenEndpoint(answering(body), clock);
  const token = await endpoint.fetch(request, { kind: 'anonymous' }, new AbortController().signal);
  expect(token.lifetimeMs).toBe(seconds * 1000);
});
