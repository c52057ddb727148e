import { once } from 'node:events';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeListener, selfSigned, type Certificate } from '../../test/fakes/fake-listener.ts';
import { FakeProxy } from '../../test/fakes/fake-proxy.ts';
import { systemClock } from '../base/clock.ts';
import { nodeDiskFiles } from '../base/disk-files.ts';
import { EcrLogin } from './credentials/ecr-login.ts';
import { FileStamps } from './credentials/file-stamps.ts';
import { EgressAgent } from './egress-agent.ts';
import { basicSignIn, directRoute, fixedRoute, type EgressRoute } from './egress-route.ts';

const certificate: Certificate = selfSigned();
let proxy: FakeProxy;
let listener: FakeListener;
beforeEach(async () => {
  proxy = new FakeProxy({ signIn: 'edge:hush' });
  listener = new FakeListener((_, response) => void response.end('ok'), { tls: certificate });
  await proxy.start();
  await listener.start();
});
afterEach(async () => {
  await listener.stop();
  await proxy.stop();
});

const through = (password: string): EgressRoute =>
  fixedRoute({ url: proxy.url, authorization: basicSignIn('edge', password) });

function agent(egress: EgressRoute, ca?: string): EgressAgent {
  const shared = { egress, timeoutMs: 2000, userAgent: 'wherry/test', clock: systemClock };
  return new EgressAgent(ca === undefined ? shared : { ...shared, ca });
}

async function ask(by: EgressAgent): Promise<number | undefined> {
  const request = https.get(`${listener.origin}/x`, { agent: by });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  by.destroy();
  return answer.statusCode;
}

test('a request goes through a tunnel, to a server that shows its own certificate', async () => {
  expect(await ask(agent(through('hush'), certificate.cert))).toBe(200);
  expect(proxy.requests.map(({ method, target }) => [method, target])).toEqual([
    ['CONNECT', new URL(listener.origin).host],
  ]);
  await expect(ask(agent(through('hush')))).rejects.toThrow(/self-signed/);
});

test('a request without a proxy on its route is direct', async () => {
  expect(await ask(agent(directRoute, certificate.cert))).toBe(200);
  expect(proxy.requests).toEqual([]);
});

test('a wrong sign-in at the proxy is told', async () => {
  await expect(ask(agent(through('wrong')))).rejects.toThrow(/wants another sign-in \(status 407\)/);
});

describe('the sign-in to ECR', () => {
  test.each([
    ['for a password', undefined, 'api.ecr.invalid:443'],
    ['for a role', { arn: 'arn:aws:iam::123456789012:role/pull', externalId: undefined }, 'sts.invalid:443'],
  ])('asks through the proxy: %s', async (_, role, target) => {
    const login = new EcrLogin({
      id: 'ecr-1',
      registry: 'private',
      region: 'eu-central-1',
      fips: false,
      dualStack: false,
      endpoint: 'https://api.ecr.invalid',
      stsEndpoint: 'https://sts.invalid',
      keys: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: async () => 'hush' },
      profile: undefined,
      role,
      profileFiles: new FileStamps([], { files: nodeDiskFiles, clock: systemClock }),
      httpsAgent: () => agent(through('wrong')),
    });
    await expect(login.obtain(new AbortController().signal)).rejects.toThrow(/status 407/);
    expect(new Set(proxy.requests.map((request) => request.target))).toEqual(new Set([target]));
  });
});
