import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { Hono } from 'hono';
import type { CredentialConfig, EdgeConfig, UpstreamConfig } from '../config/edge-schema.ts';
import { defaultFreshnessRule } from '../config/freshness-schema.ts';
import { systemClock } from '../src/base/clock.ts';
import { DataFolder, dataMigrations } from '../src/base/data-folder.ts';
import { nodeDiskFiles } from '../src/base/disk-files.ts';
import { Lifecycle } from '../src/base/lifecycle.ts';
import type { HealthCheck } from '../src/http/health.ts';
import { silentLogger, type Logger } from '../src/base/logger.ts';
import type { Metrics } from '../src/base/metrics.ts';
import { createPinoLogger, type PinoLogger } from '../src/base/pino-logger.ts';
import { createPrometheusMetrics, type PrometheusMetrics } from '../src/base/prometheus-metrics.ts';
import { DiskBlobStore } from '../src/blob/disk-blob-store.ts';
import type { CacheIndex } from '../src/cache/cache-index.ts';
import type { CachedUpstream } from '../src/cache/cached-upstream.ts';
import { PublicAccess } from '../src/cache/public-access.ts';
import { rebuildIndex } from '../src/cache/rebuild-index.ts';
import { Refetch } from '../src/cache/refetch.ts';
import { Scrubber } from '../src/cache/scrubber.ts';
import { openSqliteCacheIndex } from '../src/cache/sqlite-cache-index.ts';
import { compileTagPatterns } from '../src/cache/tag-pattern.ts';
import type { TlsFiles } from '../src/http/serve.ts';
import { parseDigest, type Digest } from '../src/oci/digest.ts';
import { DiskRevisionStore } from '../src/tag/disk-revision-store.ts';
import { DiskTagStore } from '../src/tag/disk-tag-store.ts';
import type { RevisionStore } from '../src/tag/tag-store.ts';
import { RepositoryRecords } from '../src/tag/repository-records.ts';
import { fixedCredential, type CredentialSource } from '../src/upstream/credential.ts';
import {
  createHttpUpstream,
  type HttpUpstream,
  type HttpUpstreamOptions,
} from '../src/upstream/http-upstream.ts';
import { Addressing } from './addressing.ts';
import { assembleCache, type CacheSettings, type EdgeCache } from './cache-assembly.ts';
import { EdgeMetrics } from './edge-metrics.ts';
import { EdgeRegistry } from './edge-registry.ts';
import type { EdgeUpstream } from './edge-upstream.ts';
import { EdgeListeners } from './listeners.ts';

export interface EdgeIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Of the program, for upstreams to see. */
  readonly version: string;
}

export interface RunningEdge {
  readonly mirrorUrl: string;
  readonly adminUrl: string;
  stop(): Promise<void>;
  readonly exited: Promise<void>;
}

const clock = systemClock;

/** Looked for to see whether the disk answers; whether it is there does not matter. */
const emptyBlob = parseDigest(
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
) as Digest;
const maxLargeBufferBytes = 32 * 1024 * 1024;
/** What the cache takes of the disk when nobody said how much. */
const automaticShare = 0.8;

/**
 * The edge's composition root. Asks no upstream for anything: an edge starts and serves with none of them reachable.
 * Fails with what could not be opened; everything opened before is closed by then.
 */
export async function runEdge(config: EdgeConfig, io: EdgeIo): Promise<RunningEdge> {
  const logger = openLog(config);
  const metrics = createPrometheusMetrics();
  const lifecycle = new Lifecycle({ clock, logger, abandonAfterMs: 5_000 });
  const edge = new EdgeParts(config, io, { logger, metrics });
  edge.addTo(lifecycle);
  try {
    await lifecycle.start();
  } catch (error) {
    await logger.close();
    throw error;
  }
  const { mirrorUrl, adminUrl } = edge.listeners;
  io.stdout.write(`wherry edge: mirror ${mirrorUrl}, admin ${adminUrl}\n`);
  logger.info('edge started', { mirror: mirrorUrl, admin: adminUrl, data: config.data });

  const exited = Promise.withResolvers<void>();
  const stop = async (): Promise<void> => {
    await lifecycle.stop(config.limits.drainMs + 10_000);
    logger.info('edge stopped');
    await logger.close();
    exited.resolve();
  };
  return { mirrorUrl, adminUrl, stop, exited: exited.promise };
}

function openLog({ log }: EdgeConfig): PinoLogger {
  const { level, destination } = log;
  const named = destination === 'stderr' || destination === 'stdout' ? destination : { file: destination };
  return createPinoLogger({ level, destination: named });
}

/** What the edge is made of, in the order in which it starts. */
class EdgeParts {
  readonly #config: EdgeConfig;
  readonly #io: EdgeIo;
  readonly #logger: Logger;
  readonly #metrics: PrometheusMetrics;
  /** One for each configured upstream, in their order. */
  readonly #clients: HttpUpstream[] = [];
  readonly #anonymousClients: HttpUpstream[] = [];
  readonly #cachedUpstreams: CachedUpstream[] = [];
  #closeAccessLog = async (): Promise<void> => undefined;
  #listeners: EdgeListeners | undefined;

  constructor(config: EdgeConfig, io: EdgeIo, tools: { logger: Logger; metrics: PrometheusMetrics }) {
    this.#config = config;
    this.#io = io;
    this.#logger = tools.logger;
    this.#metrics = tools.metrics;
  }

  get listeners(): EdgeListeners {
    if (this.#listeners === undefined) throw new Error('the edge has not started');
    return this.#listeners;
  }

  addTo(lifecycle: Lifecycle): void {
    let release = async (): Promise<void> => undefined;
    let closeListeners = async (): Promise<void> => undefined;
    lifecycle.add({
      name: 'storage and cache',
      start: async () => {
        const folder = await DataFolder.open({
          path: this.#config.data,
          migrations: dataMigrations,
          files: nodeDiskFiles,
        });
        release = async () => folder.release();
        const opened = await this.#openCache();
        release = async () => {
          await opened.close();
          const clients = [...this.#clients, ...this.#anonymousClients];
          await Promise.all(clients.map(async (client) => client.close()));
          await this.#closeAccessLog();
          await folder.release();
        };
        this.#listeners = opened.listeners;
      },
      stop: async () => release(),
    });
    lifecycle.add({
      name: 'listeners',
      start: async () => {
        await this.listeners.open();
        closeListeners = async () => this.listeners.close(this.#config.limits.drainMs);
      },
      stop: async () => closeListeners(),
    });
  }

  async #openCache(): Promise<{ listeners: EdgeListeners; close: () => Promise<void> }> {
    const config = this.#config;
    const [logger, metrics] = [this.#logger, this.#metrics];
    const shared = { root: config.data, files: nodeDiskFiles, clock, logger };
    const blobs = await DiskBlobStore.open({ ...shared, reserveBytes: await reserveBytes(config) });
    const records = await RepositoryRecords.open({ ...shared, maxOpenFiles: 32, maxWaiting: 10_000 });
    const revisions = new DiskRevisionStore(records);
    const opened = openSqliteCacheIndex({
      file: join(config.data, 'index.sqlite'),
      clock,
      logger,
      metrics,
      maxHotLinks: 20_000,
      maxLinks: 5_000_000,
      maxPendingTouches: 250,
      touchFlushMs: 5_000,
      maxListingBytes: 64 * 1024 * 1024,
    });
    const { index } = opened;
    if (opened.needsRebuild) {
      await rebuildIndex({ index, blobs, revisions, logger });
      opened.markRebuilt();
    }
    const usedBytes = index.totals().bytes;
    const settings = cacheSettings(config, { usedBytes, freeBytes: await blobs.space.freeBytes() });
    const edgeMetrics = new EdgeMetrics(metrics);
    const cache = assembleCache(
      {
        blobs,
        tags: new DiskTagStore(records),
        revisions,
        index,
        clock,
        random: Math.random,
        logger,
        metrics,
        edgeMetrics,
      },
      settings,
    );
    const registry = await this.#registry(cache, { index, edgeMetrics });
    const stopBackground = this.#startBackground(cache, { index, revisions });
    const close = async (): Promise<void> => {
      await stopBackground();
      await cache.fills.close();
      index.close();
    };
    return { listeners: await this.#buildListeners(registry, cache), close };
  }

  #startBackground(
    cache: EdgeCache,
    { index, revisions }: { index: CacheIndex; revisions: RevisionStore },
  ): () => Promise<void> {
    const { scrub } = this.#config;
    const upstreams = new Map(this.#cachedUpstreams.map((upstream) => [upstream.name, upstream]));
    const refetch = new Refetch({ ...cache, index, revisions, upstreams, logger: this.#logger });
    const scrubber = new Scrubber({
      blobs: cache.store,
      index,
      clock,
      logger: this.#logger,
      metrics: this.#metrics,
      bytesPerSecond: scrub.bytesPerSecond,
      pauseMs: 3_600_000,
      onCorrupt: () => undefined, // the store itself tells who needs to know
      refetch: (digest) => void refetch.fetch(digest),
    });
    cache.evictor.start();
    if (scrub.enabled) scrubber.start();
    return async () => {
      await scrubber.stop();
      await cache.evictor.stop();
    };
  }

  async #registry(
    cache: EdgeCache,
    { index, edgeMetrics }: { index: CacheIndex; edgeMetrics: EdgeMetrics },
  ): Promise<EdgeRegistry> {
    const { upstreams } = this.#config;
    const entries: [string, EdgeUpstream][] = [];
    for (const upstream of upstreams) entries.push([upstream.name, await this.#upstream(upstream, index)]);
    const [first, ...rest] = upstreams;
    return new EdgeRegistry({
      addressing: new Addressing([addressable(first), ...rest.map(addressable)]),
      upstreams: new Map(entries),
      manifests: cache.manifests,
      blobs: cache.blobs,
      listings: cache.listings,
      metrics: edgeMetrics,
    });
  }

  async #upstream(config: UpstreamConfig, index: CacheIndex): Promise<EdgeUpstream> {
    const options = await upstreamOptions(config, {
      version: this.#io.version,
      logger: this.#logger,
      metrics: this.#metrics,
    });
    const client = createHttpUpstream(options);
    this.#clients.push(client);
    const rules = config.freshness.map((rule) => ({ rule, matches: compileTagPatterns(rule.tags) }));
    const lastRule = config.freshness.at(-1);
    if (lastRule === undefined) throw new Error('an upstream without a freshness rule');
    const archived = compileTagPatterns(config.onUpstreamGone === 'serve' ? ['*'] : config.archived);
    const onlyPublic = config.access === 'public' && config.credentials.length > 0;
    const cached: CachedUpstream = {
      name: config.name,
      client,
      health: () => client.health(),
      freshness: (tag) => rules.find(({ matches }) => matches(tag))?.rule ?? lastRule,
      isArchived: archived,
    };
    this.#cachedUpstreams.push(cached);
    return {
      cached,
      publicAccess: onlyPublic ? this.#publicAccess(config, options, index) : undefined,
    };
  }

  #publicAccess(config: UpstreamConfig, options: HttpUpstreamOptions, index: CacheIndex): PublicAccess {
    const anonymous = createHttpUpstream({ ...options, credentials: [] });
    this.#anonymousClients.push(anonymous);
    return new PublicAccess({ anonymous, index, clock, lifetimeMs: config.publicProbeLifetimeMs });
  }

  async #buildListeners(registry: EdgeRegistry, cache: EdgeCache): Promise<EdgeListeners> {
    const { adminListen, limits, listen } = this.#config;
    return new EdgeListeners({
      mirror: { ...listen, tls: await readTls(this.#config) },
      admin: adminListen,
      registry,
      adminPages: new Hono(),
      checks: this.#checks(cache),
      metricsText: this.#metrics,
      limits: {
        headersTimeoutMs: limits.headersTimeoutMs,
        keepAliveTimeoutMs: limits.keepAliveMs,
        maxHeaderBytes: limits.maxHeaderBytes,
        maxConnections: limits.maxConnections,
        clientStallTimeoutMs: limits.clientStallMs,
      },
      maxLargeBufferBytes,
      accessLog: this.#openAccessLog(),
      requestIdPrefix: randomBytes(4).toString('hex'),
      clock,
      logger: this.#logger,
      metrics: this.#metrics,
    });
  }

  /** Ready is who can serve the cache; upstreams are reported, and no reason to be taken out of service. */
  #checks(cache: EdgeCache): readonly HealthCheck[] {
    const storage: HealthCheck = {
      name: 'storage',
      required: true,
      check: async () => {
        await cache.store.stat(emptyBlob);
        return { healthy: true };
      },
    };
    const upstreams = this.#config.upstreams.map(({ name }, index): HealthCheck => {
      const client = this.#clients[index];
      return {
        name: `upstream ${name}`,
        required: false,
        check: () => {
          const { away, answeredAtMs } = client?.health() ?? { away: false, answeredAtMs: undefined };
          const detail = away ? 'does not answer' : answeredAtMs === undefined ? 'not asked yet' : 'answers';
          return { healthy: !away, detail };
        },
      };
    });
    return [storage, ...upstreams];
  }

  #openAccessLog(): Logger {
    const { access } = this.#config.log;
    if (access === 'off') return silentLogger;
    const destination = access === 'stdout' ? 'stdout' : { file: access };
    const logger = createPinoLogger({ level: 'info', destination });
    this.#closeAccessLog = async () => logger.close();
    return logger;
  }
}

function addressable({ name, hosts }: UpstreamConfig): { name: string; hosts: readonly string[] } {
  return { name, hosts: [name, ...hosts] };
}

async function readTls({ tls }: EdgeConfig): Promise<TlsFiles | undefined> {
  if (tls === undefined) return undefined;
  return { cert: await readFile(tls.cert, 'utf8'), key: await readFile(tls.key, 'utf8') };
}

async function upstreamOptions(
  config: UpstreamConfig,
  tools: { version: string; logger: Logger; metrics: Metrics },
): Promise<HttpUpstreamOptions> {
  const pem = async (file: string | undefined): Promise<string | undefined> =>
    file === undefined ? undefined : readFile(file, 'utf8');
  const [ca, cert, key] = await Promise.all([pem(config.tls.ca), pem(config.tls.cert), pem(config.tls.key)]);
  const { name, trustedRealms, timeouts, maxConnections, breaker, allowPrivateTargets } = config;
  return {
    name,
    url: new URL(config.url),
    credentials: config.credentials.map(credentialSource),
    trustedRealms,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      insecure: config.tls.insecure,
    },
    timeouts,
    maxConnections,
    maxQueued: 2_048,
    breaker,
    rejection: { attempts: 3, pauseMs: 10_000, maxPauseMs: 600_000 },
    listing: { maxPages: 100, maxBytes: 16 * 1024 * 1024, referrersAbsentMs: 3_600_000 },
    maxTokens: 10_000,
    allowPrivateTargets,
    userAgent: `wherry/${tools.version}`,
    clock,
    random: Math.random,
    logger: tools.logger,
    metrics: tools.metrics,
  };
}

function credentialSource(config: CredentialConfig, index: number): CredentialSource {
  switch (config.kind) {
    case 'password': {
      const { username, password } = config;
      return fixedCredential(username, { kind: 'password', username, password: password.reveal() });
    }
    case 'identity-token':
      return fixedCredential(`identity-token-${index + 1}`, {
        kind: 'identity-token',
        token: config.identityToken.reveal(),
      });
  }
}

async function reserveBytes({ data, cache }: EdgeConfig): Promise<number> {
  if (cache.reserve.unit === 'bytes') return cache.reserve.bytes;
  const { bsize, blocks } = await nodeDiskFiles.statfs(data);
  return Math.ceil(bsize * blocks * cache.reserve.fraction);
}

function cacheSettings(
  { cache, upstreams }: EdgeConfig,
  disk: { readonly usedBytes: number; readonly freeBytes: number },
): CacheSettings {
  const automatic = Math.floor((disk.usedBytes + disk.freeBytes) * automaticShare);
  const maxFills = new Map(upstreams.map((upstream) => [upstream.name, upstream.maxFills]));
  const quotas = upstreams.flatMap(({ name, quotaBytes }) =>
    quotaBytes === undefined ? [] : [[name, quotaBytes] as const],
  );
  return {
    fill: {
      unattended: cache.unattendedFills,
      lingerMs: 1_000,
      checkpointIntervalMs: cache.checkpointIntervalMs,
      // About half a minute without a byte: clients wait longer than that, and pull from the start once cut off.
      retry: { attempts: 12, firstMs: 200, maxMs: 8_000 },
      joinAheadBytes: 8 * 1024 * 1024,
      rangeAttempts: 3,
    },
    budget: {
      maxBytes: cache.maxBytes === 'auto' ? automatic : cache.maxBytes,
      highWatermark: cache.highWatermark,
      lowWatermark: cache.lowWatermark,
      quotaBytes: new Map(quotas),
    },
    maxFills: cache.maxFills,
    maxQueuedFills: cache.maxQueuedFills,
    maxFillsOf: (upstream) => maxFills.get(upstream) ?? cache.maxFills,
    maxRangesInFlight: cache.maxRangesInFlight,
    maxPassThroughs: cache.maxPassThrough,
    partialLifetimeMs: cache.partialLifetimeMs,
    sweepIntervalMs: 60_000,
    storageRetryMs: 5_000,
    hotManifestBytes: cache.hotManifestBytes,
    hotTags: 20_000,
    rule: defaultFreshnessRule,
  };
}
