import { bytes, bytesOrAuto, count, diskShare, duration, fraction } from './field-kinds.ts';
import { choice, section } from './field.ts';
import { withUnits } from './with-units.ts';

export const cacheSchema = withUnits(
  section('What is kept, and how much.', {
    maxBytes: bytesOrAuto(
      'The most the cache holds. `auto`: 80 % of what is free on the disk of `data` or used by the cache already.',
      { env: 'WHERRY_MAX_BYTES' },
    ).prefault('auto'),
    highWatermark: fraction('Part of `maxBytes` at which eviction begins.').prefault(0.95),
    lowWatermark: fraction('Part of `maxBytes` at which eviction ends.').prefault(0.85),
    reserve: diskShare(
      'What is left free on the disk, whatever `maxBytes` says: a size or a percentage of the disk.',
    ).prefault('1GiB'),
    unattendedFills: choice(
      'What becomes of a download that no client waits for any more: `finish`, `stop`, or `half`, finish when half of it is there.',
      ['finish', 'half', 'stop'],
    ).prefault('half'),
    maxFills: count('Downloads at a time, all upstreams together.').prefault(64),
    maxQueuedFills: count('Downloads that wait for their turn; more are passed through or refused.').prefault(
      1024,
    ),
    maxRangesInFlight: count('Ranges of unfinished blobs that are fetched at a time.').prefault(64),
    maxPassThrough: count(
      'Answers at a time that go from the upstream to the client without being kept.',
    ).prefault(64),
    checkpointInterval: duration('How often a running download records what is on disk.', {
      minMs: 100,
    }).prefault('2s'),
    partialLifetime: duration('How long an unfinished download is kept for being resumed.').prefault('7d'),
    hotManifestBytes: bytes('Memory for manifests that are asked for often.', { minBytes: 0 }).prefault(
      '16MiB',
    ),
  }),
  { checkpointInterval: 'checkpointIntervalMs', partialLifetime: 'partialLifetimeMs' },
);
