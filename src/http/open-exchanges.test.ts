import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { createPrometheusMetrics } from '../base/prometheus-metrics.ts';
import { startTestServer } from './testing/start-test-server.ts';

test('each request is logged once, with what the service added', async () => {
  await using server = await startTestServer({
    handle: () => ({
      status: 200,
      headers: {},
      body: { kind: 'bytes', bytes: Buffer.from('{}') },
      log: { upstream: 'docker.io', cache: 'hit' },
    }),
  });
  const url = `${server.url}/v2/a/manifests/x?ns=docker.io&token=abc`;
  await (await fetch(url, { headers: { 'User-Agent': 'docker/1' } })).text();
  expect(await server.accessLog.line(0)).toEqual({
    level: 'info',
    message: 'request',
    fields: {
      upstream: 'docker.io',
      cache: 'hit',
      requestId: 'r1',
      method: 'GET',
      url: '/v2/a/manifests/x?ns=docker.io&token=REDACTED',
      status: 200,
      bytes: 2,
      durationMs: 0,
      remote: '127.0.0.1',
      userAgent: 'docker/1',
    },
  });
  expect(server.accessLog.lines).toHaveLength(1);
});

test('requests are counted by what they were', async () => {
  const metrics = createPrometheusMetrics();
  await using server = await startTestServer({
    handle: () => ({ status: 200, headers: {}, body: { kind: 'bytes', bytes: Buffer.from('{}') } }),
    metrics,
    app: new Hono().get('/page', (context) => context.text('hello')),
  });
  for (const path of ['/v2/', '/v2/', '/v2/nothing', '/page']) await (await fetch(server.url + path)).text();
  await server.exchange('PURGE /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await server.accessLog.line(4);
  const text = await metrics.text();
  const count = (labels: string): string => `wherry_http_requests_total{listener="test",${labels}}`;
  expect(text).toContain(`${count('method="GET",route="base",status="200"')} 2`);
  expect(text).toContain(`${count('method="GET",route="unknown",status="404"')} 1`);
  expect(text).toContain(`${count('method="GET",route="page",status="200"')} 1`);
  expect(text).toContain(`${count('method="PURGE",route="base",status="405"').replace('PURGE', 'other')} 1`);
  expect(text).toContain('wherry_http_requests_in_flight{listener="test"} 0');
  expect(text).toMatch(/wherry_http_request_seconds_count\{.*route="base".*\} 3/);
});

test('what a page throws is logged and not shown', async () => {
  const app = new Hono().get('/page', () => {
    throw new Error('hunter2');
  });
  await using server = await startTestServer({ handle: () => Promise.reject(new Error('unused')), app });
  const response = await fetch(`${server.url}/page`);
  expect([response.status, await response.text()]).toEqual([500, 'internal error']);
  expect((await server.log.line(0)).fields['error']).toMatchObject({ message: 'hunter2' });
  expect((await server.accessLog.line(0)).fields).toMatchObject({ status: 500, url: '/page' });
});
