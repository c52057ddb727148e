import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { busyboxImage } from '../programs/images.ts';
import { PullThrough } from '../programs/pull-through.ts';
import { Skopeo } from '../programs/skopeo.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { waitUntil } from '../programs/wait-until.ts';

const freshMs = 2_000;

/** How late a move may be seen on a busy machine. */
const slackMs = 2_000;

describeWithPrograms(
  'a tag that moves upstream',
  { programs: ['docker-registry', 'skopeo', 'busybox'] },
  () => {
    const first = busyboxImage('oci', 'first');
    const second = busyboxImage('oci', 'second');
    const third = busyboxImage('oci', 'third');
    let site: PullThrough;

    beforeAll(async () => {
      site = await PullThrough.start({
        label: 'freshness',
        images: { 'team/app:rolling': first },
        config: { freshness: [{ tags: ['*'], fresh: `${freshMs / 1_000}s`, negative: '1s' }] },
      });
    });

    afterAll(async () => {
      await site?.[Symbol.asyncDispose]();
    });

    test('is seen when its freshness has ended: not before, and not long after', async () => {
      const askedFirstMs = performance.now();
      expect((await resolve()).digest).toBe(first.manifest.digest);
      const knownMs = performance.now();
      await site.upstream.push('team/app:rolling', second);
      let askedMs = knownMs;
      await waitUntil(
        async () => {
          askedMs = performance.now();
          return (await resolve()).digest === second.manifest.digest ? true : undefined;
        },
        { what: 'the moved tag', timeoutMs: freshMs + slackMs, intervalMs: 20 },
      );
      expect(performance.now() - askedFirstMs).toBeGreaterThanOrEqual(freshMs);
      expect(askedMs - knownMs).toBeLessThan(freshMs + slackMs);
    });

    test('is asked for upstream once in each time of freshness, by HEAD', () => {
      const asked = site.upstream.requests.filter(
        ({ method, path }) => method !== 'PUT' && path.endsWith('/manifests/rolling'),
      );
      expect(asked.length).toBeGreaterThanOrEqual(2);
      expect(asked.length).toBeLessThanOrEqual(2 + Math.ceil(slackMs / freshMs));
      expect(asked.filter(({ method }) => method === 'GET').length).toBeLessThanOrEqual(1);
    });

    test('is what a client gets', async () => {
      const skopeo = await Skopeo.create(await site.folder.folder('skopeo'));
      const manifest = await skopeo.inspectRaw(`${site.edge.host}/docker.io/team/app:rolling`);
      expect(manifest).toBe(second.manifest.bytes.toString('utf8'));
      await skopeo.copyAll(`${site.edge.host}/docker.io/team/app:rolling`, `dir:${site.folder.file('copy')}`);
    });

    test('keeps its last known place while the upstream is away', async () => {
      await site.upstream.stop();
      await delay(freshMs);
      expect(await resolve()).toEqual({ status: 200, digest: second.manifest.digest });
    });

    test('is seen when it moved while the upstream was away', async () => {
      await site.upstream.resume();
      await site.upstream.push('team/app:rolling', third);
      await waitUntil(
        async () => ((await resolve()).digest === third.manifest.digest ? true : undefined),
        // The edge leaves an upstream that failed alone for some seconds.
        { what: 'the third image', timeoutMs: 60_000 },
      );
    });

    test('is gone when the upstream says so', async () => {
      const url = `${site.upstream.url}/v2/team/app/manifests/${third.manifest.digest}`;
      expect((await fetch(url, { method: 'DELETE' })).status).toBe(202);
      await waitUntil(async () => ((await resolve()).status === 404 ? true : undefined), {
        what: '404',
        timeoutMs: freshMs + 10_000,
      });
    });

    async function resolve(): Promise<{ status: number; digest: string | null }> {
      const { status, headers } = await fetch(`${site.edge.url}/v2/docker.io/team/app/manifests/rolling`, {
        method: 'HEAD',
      });
      return { status, digest: headers.get('docker-content-digest') };
    }
  },
);
