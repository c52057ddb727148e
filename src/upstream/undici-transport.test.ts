import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeRegistry } from '../../test/fakes/fake-registry.ts';
import { content, image, layerBytes } from '../../test/fakes/images.ts';
import { upstreamOptions } from '../../test/fakes/upstream-options.ts';
import { createPrometheusMetrics } from '../base/prometheus-metrics.ts';
import { parseReference } from '../oci/reference.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { createHttpUpstream } from './http-upstream.ts';

const repository = parseRepositoryName('team/app')!;
const blob = content(layerBytes(8_000_000, 'transport'));
const signal = new AbortController().signal;
const tag = parseReference('v1')!;

let registry: FakeRegistry;
beforeEach(async () => {
  registry = new FakeRegistry();
  await registry.start();
  registry.addImage(repository, image(), 'v1');
  registry.addBlob(repository, blob);
});
afterEach(async () => {
  await registry.stop();
});

test('blobs wait for each other, a manifest does not wait for them, and a full queue is no outage', async () => {
  const upstream = createHttpUpstream(upstreamOptions(registry.origin, { maxConnections: 4, maxQueued: 1 }));
  const getBlob = async (): Promise<AsyncIterator<Uint8Array>> => {
    const stream = await upstream.getBlob(repository, blob.digest, { signal });
    return stream.chunks[Symbol.asyncIterator]();
  };
  const readers = await Promise.all([getBlob(), getBlob(), getBlob()]);
  await Promise.all(readers.map(async (reader) => reader.next()));
  const waiting = getBlob();
  await expect(upstream.headManifest(repository, tag, signal)).resolves.toBeDefined();
  for (let count = 0; count < 5; count += 1) {
    await expect(getBlob()).rejects.toMatchObject({ kind: 'unavailable', message: /are waiting already/ });
  }
  expect(upstream.health()).toMatchObject({ away: false, breakerOpen: false });
  expect(registry.count('GET', /blobs/)).toBe(3);
  await readers[0]?.return?.();
  const last = await waiting;
  await last.next();
  await Promise.all([...readers, last].map(async (reader) => reader.return?.()));
  await upstream.close();
});

test('a connection is used again after small answers', async () => {
  const upstream = createHttpUpstream(upstreamOptions(registry.origin));
  for (let count = 0; count < 10; count += 1) {
    await upstream.getManifest(repository, tag, signal);
    await expect(upstream.getManifest(repository, parseReference('no')!, signal)).rejects.toMatchObject({
      kind: 'absent',
    });
  }
  // One that is just being given back may call for a second.
  expect(registry.listener.openConnections).toBeLessThanOrEqual(2);
  await upstream.close();
});

test('counts what it does', async () => {
  const metrics = createPrometheusMetrics();
  const upstream = createHttpUpstream(upstreamOptions(registry.origin, { metrics }));
  await upstream.getManifest(repository, tag, signal);
  await upstream.headManifest(repository, parseReference('no')!, signal).catch(() => undefined);
  const text = await metrics.text();
  expect(text).toContain(
    'wherry_upstream_requests_total{upstream="upstream.test",operation="get-manifest",result="ok"} 1',
  );
  expect(text).toContain('operation="head-manifest",result="absent"} 1');
  expect(text).toContain(
    `wherry_upstream_bytes_total{upstream="upstream.test"} ${image().manifest.bytes.length}`,
  );
  expect(text).toContain('wherry_upstream_header_seconds_count{upstream="upstream.test"} 2');
  expect(text).toContain('wherry_upstream_breaker_state{upstream="upstream.test"} 0');
  await upstream.close();
});

test('running calls end when it is closed', async () => {
  const upstream = createHttpUpstream(upstreamOptions(registry.origin));
  registry.inject(({ path }) => path.includes('/manifests/'), { headersAfter: new Promise(() => undefined) });
  const call = upstream.headManifest(repository, tag, signal);
  const outcome = expect(call).rejects.toMatchObject({ kind: 'unavailable' });
  while (registry.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await upstream.close();
  await outcome;
});
