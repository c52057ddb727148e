import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { selfSigned } from '../fakes/fake-listener.ts';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { image } from '../fakes/images.ts';
import { makeTempFolder } from '../fakes/temp-folder.ts';
import { LocalEdge } from './local-edge.ts';

test('listeners share the cache, each with a default upstream and TLS of its own', async () => {
  const folder = await makeTempFolder();
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(async () => folder.remove());
  const [server, client] = [selfSigned(), selfSigned()];
  const at = (name: string): string => `${folder.path}/${name}`;
  const files = {
    [at('cert.pem')]: server.cert,
    [at('key.pem')]: server.key,
    [at('clients.pem')]: client.cert,
  };
  for (const [path, text] of Object.entries(files)) await writeFile(path, text);
  const images = [image({ architecture: 'amd64' }), image({ architecture: 'arm64' })];
  await using first = new FakeRegistry();
  await using second = new FakeRegistry();
  for (const [index, registry] of [first, second].entries()) {
    await registry.start();
    registry.addImage('team/app', images[index]!, 'v1');
  }
  await using edge = await LocalEdge.start({
    files,
    upstreams: { 'first.test': first.origin, 'second.test': second.origin },
    config: {
      listeners: [
        {
          listen: '127.0.0.1:0',
          defaultUpstream: 'second.test',
          tls: { cert: at('cert.pem'), key: at('key.pem'), clientCa: at('clients.pem') },
        },
      ],
    },
  });
  const [plain, secure] = edge.mirrorUrls;
  expect(plain).toBe(edge.mirrorUrl);
  expect((await edge.get('/v2/team/app/manifests/v1')).headers['docker-content-digest']).toBe(
    images[0]!.manifest.digest,
  );
  const trust = { ca: server.cert, agent: false };
  const answer = await ask(new URL('/v2/team/app/manifests/v1', secure), { ...trust, ...client });
  expect(answer.headers['docker-content-digest']).toBe(images[1]!.manifest.digest);
  const named = await ask(new URL('/v2/first.test/team/app/manifests/v1', secure), { ...trust, ...client });
  expect(named.headers['cache-status']).toMatch(/hit/);
  await expect(ask(new URL('/v2/', secure), trust)).rejects.toThrow(/certificate required|socket/i);
});

async function ask(url: URL, options: https.RequestOptions): Promise<IncomingMessage> {
  const request = https.get(url, options);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.resume();
  return answer;
}
