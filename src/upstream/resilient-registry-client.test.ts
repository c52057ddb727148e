import { expect, test } from 'vitest';
import type { LogFields, Logger } from '../base/logger.ts';
import { silentLogger } from '../base/logger.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { upstreamOptions } from '../../test/fakes/upstream-options.ts';
import { FakeRegistry } from '../../test/fakes/fake-registry.ts';
import { image } from '../../test/fakes/images.ts';
import { parseReference } from '../oci/reference.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { createHttpUpstream } from './http-upstream.ts';

const repository = parseRepositoryName('team/app')!;
const tag = parseReference('v1')!;
const signal = new AbortController().signal;

test.each([
  ['an outage', { answer: { status: 503 } }, 'upstream away', /status 503/],
  [
    'an answer that is refused',
    { redirectTo: 'ftp://x' },
    'upstream answer refused',
    /not a scheme to follow/,
  ],
] as const)('%s is logged with its reason, and not by every request', async (_, fault, message, reason) => {
  const lines: { message: string; fields: LogFields | undefined }[] = [];
  const clock = new ManualClock();
  await clock.advance(1000);
  const logger: Logger = {
    ...silentLogger,
    warn: (text, fields) => void lines.push({ message: text, fields }),
    child: () => logger,
  };
  await using registry = new FakeRegistry();
  await registry.start();
  registry.addImage(repository, image(), 'v1');
  const breaker = { failures: 100, pauseMs: 1, maxPauseMs: 1 };
  const upstream = createHttpUpstream(upstreamOptions(registry.origin, { logger, clock, breaker }));
  registry.inject(() => true, fault, 3);
  for (let round = 0; round < 3; round += 1) {
    await expect(upstream.headManifest(repository, tag, signal)).rejects.toThrow(reason);
  }
  expect(lines).toEqual([
    { message, fields: expect.objectContaining({ reason: expect.stringMatching(reason) }) },
  ]);
  await upstream.headManifest(repository, tag, signal);
  await clock.advance(60_000);
  registry.inject(() => true, fault, 1);
  await expect(upstream.headManifest(repository, tag, signal)).rejects.toThrow(reason);
  expect(lines.length).toBe(2);
  await upstream.close();
});
