import { describe, expect, it } from 'vitest';
import { parseDigest, type Digest } from '../../src/oci/digest.ts';
import type { EdgeStatus } from './edge-status.ts';
import { statusRoutes } from './status-routes.ts';

const status: EdgeStatus = {
  version: '1.2.3',
  startedAt: '2026-01-02T03:04:05.000Z',
  uptimeSeconds: 3_725,
  cache: { blobs: 42, bytes: 5_000_000_000, maxBytes: 10_000_000_000 },
  answers: { hit: 80, collapsed: 10, miss: 10 },
  upstreams: [
    {
      name: 'docker.io',
      url: 'https://registry-1.docker.io',
      state: 'answers',
      cachedBytes: 5_000_000_000,
      answers: { hit: 1, miss: 3 },
      rateLimits: [
        {
          credential: 'anonymous',
          limit: { limit: 100, remaining: 76, windowSeconds: 21_600, source: undefined },
        },
      ],
    },
    {
      name: 'ghcr.io',
      url: 'https://ghcr.io',
      state: 'left alone',
      cachedBytes: 0,
      answers: {},
      rateLimits: [],
    },
  ],
  fills: [
    {
      digest: parseDigest(`sha256:${'a'.repeat(64)}`) as Digest,
      upstream: 'docker.io',
      repository: '<script>alert(1)</script>',
      arrivedBytes: 250,
      size: 1_000,
      users: 3,
    },
  ],
};

async function page(report: EdgeStatus): Promise<string> {
  return (await statusRoutes(() => report).request('/')).text();
}

describe('the status page', () => {
  it('says what is cached, how it helped, and how the upstreams are', async () => {
    const text = await page(status);
    for (const part of ['42 blobs', '90 %', '50 %', '1h2m5s', 'docker.io', '76 (anonymous)', 'left alone']) {
      expect(text).toContain(part);
    }
  });

  it('shows the progress of running fills', async () => {
    expect(await page(status)).toContain('<progress value="250" max="1000">');
  });

  it('shows what comes from clients as text', async () => {
    const text = await page(status);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(text).not.toContain('<script>alert');
  });

  it('says that nothing has happened yet where nothing has', async () => {
    const text = await page({ ...status, answers: {}, fills: [] });
    expect(text).toContain('None.');
    expect(text).toContain('0 answers');
  });

  it('may load nothing from elsewhere and stands in no frame', async () => {
    const response = await statusRoutes(() => status).request('/');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(await response.text()).not.toMatch(/(?:src|href)="https?:/);
  });

  it('is there for programs as well', async () => {
    const response = await statusRoutes(() => status).request('/status.json');
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(status)));
  });
});
