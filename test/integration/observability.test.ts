import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeRegistry } from '../fakes/fake-registry.ts';
import { image, layerBytes } from '../fakes/images.ts';
import { LocalEdge } from './local-edge.ts';

const one = image({ layers: [layerBytes(3_000, 'layer')] });
const [, layer] = one.blobs;
const registry = new FakeRegistry({
  manifestHeaders: () => ({ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' }),
});
let edge: LocalEdge;

beforeAll(async () => {
  await registry.start();
  registry.addImage('library/alpine', one, '3');
  edge = await LocalEdge.start({ upstreams: { 'docker.io': registry.origin } });
  await edge.get('/v2/library/alpine/manifests/3');
  await edge.get('/v2/library/alpine/manifests/3');
  await edge.get(`/v2/library/alpine/blobs/${layer!.digest}`);
});

afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await registry.stop();
});

describe('health', () => {
  it.each(['mirror', 'admin'] as const)('is told on the %s listener', async (listener) => {
    const base = listener === 'mirror' ? edge.mirrorUrl : edge.adminUrl;
    const health = await edge.get(`${base}/healthz`);
    expect([health.status, JSON.parse(health.body.toString())]).toEqual([200, { status: 'ok' }]);
    const ready = await edge.get(`${base}/readyz`);
    expect(ready.status).toBe(200);
    const { status, checks } = JSON.parse(ready.body.toString()) as { status: string; checks: unknown[] };
    expect(status).toBe('ready');
    expect(checks).toMatchObject([
      { name: 'storage', healthy: true, required: true },
      { name: 'upstream docker.io', healthy: true, required: false },
    ]);
  });

  it('an edge whose upstream is away stays ready', async () => {
    await using lonely = await LocalEdge.start({ upstreams: { 'docker.io': 'http://127.0.0.1:9' } });
    expect((await lonely.get('/v2/library/alpine/manifests/3')).status).toBe(503);
    const ready = await lonely.get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.body.toString()).toContain('does not answer');
  });
});

describe('metrics', () => {
  it('are on the admin listener alone', async () => {
    expect((await edge.get('/metrics')).status).toBe(404);
    const { status, headers } = await edge.get(`${edge.adminUrl}/metrics`);
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain');
  });

  it('say what Docker Hub still grants', async () => {
    expect(await edge.metric('wherry_upstream_ratelimit_remaining')).toEqual([
      expect.stringMatching(
        /^wherry_upstream_ratelimit_remaining\{.*upstream="docker\.io".*\} 76$/,
      ) as string,
    ]);
  });

  it('count answers by how they came about', async () => {
    const samples = await edge.metric('wherry_cache_answers_total');
    expect(samples).toContain('wherry_cache_answers_total{upstream="docker.io",result="miss"} 2');
    expect(samples).toContain('wherry_cache_answers_total{upstream="docker.io",result="hit"} 1');
  });

  it('count what was asked of the upstream', async () => {
    expect(await edge.metric('wherry_upstream_bytes_total')).not.toEqual([]);
    expect(await edge.metric('wherry_upstream_breaker_state')).toEqual([
      'wherry_upstream_breaker_state{upstream="docker.io"} 0',
    ]);
  });
});

describe('the access log', () => {
  it('has a line for each answer, with how it came about', async () => {
    const url = `/v2/library/alpine/blobs/${layer!.digest}`;
    expect(await edge.accessLine((line) => line['url'] === url)).toMatchObject({
      method: 'GET',
      status: 200,
      bytes: 3_000,
      upstream: 'docker.io',
      repository: 'library/alpine',
      cache: 'miss',
      requestId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-z]+$/) as string,
      durationMs: expect.any(Number) as number,
      remote: '127.0.0.1',
    });
  });

  it('says why a request was refused, and keeps no secret of its URL', async () => {
    await edge.get('/v2/library/alpine/manifests/none?token=secret', { 'user-agent': 'some client' });
    const line = await edge.accessLine(
      (each) => each['status'] === 404 && each['userAgent'] === 'some client',
    );
    expect(line).toMatchObject({ errorCode: 'MANIFEST_UNKNOWN' });
    expect(JSON.stringify(line)).not.toContain('secret');
  });
});
