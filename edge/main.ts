import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { CredentialConfig } from '../config/credential-config.ts';
import { findInDockerConfig } from '../config/docker-config.ts';
import type { EdgeConfig, UpstreamConfig } from '../config/edge-schema.ts';
import type { ProxySetting } from '../config/egress-schema.ts';
import type { ListenerTlsConfig } from '../config/listener-schema.ts';
import { systemClock } from '../src/base/clock.ts';
import { DataFolder, dataMigrations } from '../src/base/data-folder.ts';
import { nodeDiskFiles } from '../src/base/disk-files.ts';
import { silentLogger, type Logger } from '../src/base/logger.ts';
import { parseNoProxyRule } from '../src/base/no-proxy.ts';
import { noMetrics, type Metrics } from '../src/base/metrics.ts';
import { createPinoLogger, type PinoLogger } from '../src/base/pino-logger.ts';
import { createPrometheusMetrics, type PrometheusMetrics } from '../src/base/prometheus-metrics.ts';
import { DiskBlobStore } from '../src/blob/disk-blob-store.ts';
import type { CacheIndex } from '../src/cache/cache-index.ts';
import { rebuildIndex } from '../src/cache/rebuild-index.ts';
import { Refetch } from '../src/cache/refetch.ts';
import { Scrubber } from '../src/cache/scrubber.ts';
import { openSqliteCacheIndex } from '../src/cache/sqlite-cache-index.ts';
import { DiskTlsSource } from '../src/http/disk-tls-source.ts';
import type { ServeLimits } from '../src/http/serve.ts';
import type { TlsSource } from '../src/http/tls-files.ts';
import { DiskRevisionStore } from '../src/tag/disk-revision-store.ts';
import { DiskTagStore } from '../src/tag/disk-tag-store.ts';
import { RepositoryRecords } from '../src/tag/repository-records.ts';
import type { RevisionStore, TagStore } from '../src/tag/tag-store.ts';
import { configuredCredential } from '../src/upstream/credentials/configured-credential.ts';
import type { OpenCredential } from '../src/upstream/credentials/credential-context.ts';
import type { CredentialSpec } from '../src/upstream/credentials/credential-spec.ts';
import {
  basicSignIn,
  fixedRoute,
  generalRoute,
  type EgressProxy,
  type EgressRoute,
} from '../src/upstream/egress-route.ts';
import { createHttpUpstream, type HttpUpstreamOptions } from '../src/upstream/http-upstream.ts';
import { Addressing } from './addressing.ts';
import { adminAccess } from './admin/admin-access.ts';
import { assembleAdminApi } from './admin/admin-assembly.ts';
import { assembleCache, type EdgeCache } from './cache-assembly.ts';
import { cacheSettings } from './cache-settings.ts';
import { EdgeMetrics } from './edge-metrics.ts';
import { EdgeRegistry } from './edge-registry.ts';
import { EdgeListeners } from './listeners.ts';
import { statusReporter } from './status/edge-status.ts';
import { statusRoutes } from './status/status-routes.ts';
import { storageCheck } from './storage-check.ts';
import { UpstreamSet, type UpstreamClient } from './upstream-set.ts';

export interface EdgeIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Of the program, for upstreams and people to see. */
  readonly version: string;
}

export interface RunningEdge {
  /** Of the first mirror listener. */
  readonly mirrorUrl: string;
  /** Of all mirror listeners, in the order of the configuration. */
  readonly mirrorUrls: readonly string[];
  readonly adminUrl: string;
  /** Lets running answers end, keeps running fills as partials, and closes everything. */
  stop(): Promise<void>;
  readonly exited: Promise<void>;
}

/** What every part of the edge is given, and where each one that opens something says how to close it. */
interface Tools {
  readonly config: EdgeConfig;
  readonly version: string;
  readonly logger: PinoLogger;
  readonly metrics: PrometheusMetrics;
  readonly edgeMetrics: EdgeMetrics;
  /** Closed in reverse. */
  readonly opened: AsyncDisposableStack;
}

interface Storage {
  readonly blobs: DiskBlobStore;
  readonly tags: TagStore;
  readonly revisions: RevisionStore;
  readonly index: CacheIndex;
}

const clock = systemClock;
const maxLargeBufferBytes = 16 * 1024 * 1024;
/** What closing may take besides the time that answers have to end. */
const closingMs = 10_000;

/**
 * The edge's composition root. Asks no upstream for anything: an edge starts and serves with none of them reachable.
 * Fails with what could not be opened; what was opened before is closed by then.
 */
export async function runEdge(config: EdgeConfig, { stdout, version }: EdgeIo): Promise<RunningEdge> {
  const opened = new AsyncDisposableStack();
  const logger = openLog(config);
  opened.defer(async () => logger.close());
  const metrics = createPrometheusMetrics();
  const tools: Tools = { config, version, logger, metrics, edgeMetrics: new EdgeMetrics(metrics), opened };
  try {
    const { mirrorUrls, adminUrl } = await openEdge(tools);
    const [mirrorUrl = ''] = mirrorUrls;
    const mirrors = mirrorUrls.map((url) => `mirror ${url}`).join(', ');
    stdout.write(`wherry edge: ${mirrors}, admin ${adminUrl}\n`);
    logger.info('edge started', { mirrors: mirrorUrls, admin: adminUrl, data: config.data, version });
    const exited = Promise.withResolvers<void>();
    const stop = async (): Promise<void> => {
      const late = Promise.withResolvers<never>();
      const alarm = clock.schedule(config.limits.drainMs + closingMs, () =>
        late.reject(new Error('closing took too long')),
      );
      await Promise.race([opened.disposeAsync(), late.promise]).finally(() => alarm.cancel());
      exited.resolve();
    };
    return { mirrorUrl, mirrorUrls, adminUrl, stop, exited: exited.promise };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

export interface ConnectedUpstreams {
  readonly clients: ReadonlyMap<string, UpstreamClient>;
  close(this: void): Promise<void>;
}

/** The upstreams' clients without an edge around them, to look at them one by one. Asks nobody for anything yet. */
export async function connectUpstreams(config: EdgeConfig, version: string): Promise<ConnectedUpstreams> {
  const clients = new Map<string, UpstreamClient>();
  for (const upstream of config.upstreams) {
    const options = await upstreamOptions(upstream, {
      config,
      version,
      logger: silentLogger,
      metrics: noMetrics,
    });
    clients.set(upstream.name, createHttpUpstream(options));
  }
  const close = async (): Promise<void> => {
    await Promise.all([...clients.values()].map(async (client) => client.close()));
  };
  return { clients, close };
}

async function openEdge(tools: Tools): Promise<EdgeListeners> {
  const { config, logger, metrics, edgeMetrics, opened, version } = tools;
  const storage = await openStorage(tools);
  const { index } = storage;
  const upstreams = await openUpstreams(tools, index);
  const disk = { usedBytes: index.totals().bytes, freeBytes: await storage.blobs.space.freeBytes() };
  const settings = cacheSettings({ ...config, disk });
  const cache = assembleCache(
    { ...storage, clock, random: Math.random, logger, metrics, edgeMetrics },
    settings,
  );
  opened.defer(async () => cache.fills.close());
  startUpkeep(tools, { cache, storage, upstreams });
  const [first, ...rest] = config.upstreams;
  const addressing = (defaultUpstream: string = first.name): Addressing =>
    new Addressing([addressable(first), ...rest.map(addressable)], defaultUpstream);
  const registry = (defaultUpstream?: string): EdgeRegistry =>
    new EdgeRegistry({
      addressing: addressing(defaultUpstream),
      upstreams: upstreams.byName,
      ...cache,
      metrics: edgeMetrics,
    });
  const report = statusReporter({
    version,
    maxBytes: settings.budget.maxBytes,
    upstreams: upstreams.clients,
    index,
    fills: cache.fills,
    answers: (upstream) => edgeMetrics.answers(upstream),
    clock,
  });
  const api = assembleAdminApi({
    ...storage,
    cache,
    upstreams,
    addressing: addressing(),
    report,
    access: adminAccess(config.adminToken?.reveal(), config.adminListen.host),
    setLogLevel: (level) => logger.setLevel(level),
    clock,
    logger,
  });
  const listeners = new EdgeListeners({
    mirrors: [
      { ...config.listen, tls: tlsSource(config.tls), registry: registry() },
      ...config.listeners.map(({ listen, tls, defaultUpstream }) => ({
        ...listen,
        tls: tlsSource(tls),
        registry: registry(defaultUpstream),
      })),
    ],
    admin: config.adminListen,
    adminPages: statusRoutes(report).route('/api', api),
    checks: [storageCheck(cache.store), ...upstreams.checks()],
    metricsText: metrics,
    limits: serveLimits(config),
    maxLargeBufferBytes,
    accessLog: openAccessLog(tools),
    requestIdPrefix: randomBytes(4).toString('hex'),
    clock,
    logger,
    metrics,
  });
  await listeners.open();
  opened.defer(async () => listeners.close(config.limits.drainMs));
  return listeners;
}

async function openStorage({ config, logger, metrics, opened }: Tools): Promise<Storage> {
  const files = nodeDiskFiles;
  const folder = await DataFolder.open({ path: config.data, migrations: dataMigrations, files });
  opened.defer(async () => folder.release());
  const shared = { root: config.data, files, clock, logger };
  const blobs = await DiskBlobStore.open({ ...shared, reserveBytes: await reserveBytes(config) });
  const records = await RepositoryRecords.open({ ...shared, maxOpenFiles: 32, maxWaiting: 10_000 });
  const revisions = new DiskRevisionStore(records);
  const found = openSqliteCacheIndex({
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
  const { index } = found;
  opened.defer(() => index.close());
  if (found.needsRebuild) {
    await rebuildIndex({ index, blobs, revisions, logger });
    found.markRebuilt();
  }
  return { blobs, tags: new DiskTagStore(records), revisions, index };
}

async function openUpstreams(tools: Tools, index: CacheIndex): Promise<UpstreamSet> {
  const { config, opened } = tools;
  const options = new Map<string, HttpUpstreamOptions>();
  for (const upstream of config.upstreams) options.set(upstream.name, await upstreamOptions(upstream, tools));
  const upstreams = new UpstreamSet({
    settings: config.upstreams.map((upstream) => ({
      ...upstream,
      hasCredential: upstream.credentials.length > 0,
    })),
    connect: (name, as) => {
      const own = options.get(name);
      if (own === undefined) throw new Error(`no options for ${name}`);
      return createHttpUpstream(as === 'itself' ? own : { ...own, credentials: [] });
    },
    index,
    clock,
  });
  opened.defer(async () => upstreams.close());
  return upstreams;
}

/** What goes on without any request: eviction and the scrub. */
function startUpkeep(
  { config, logger, metrics, opened }: Tools,
  { cache, storage, upstreams }: { cache: EdgeCache; storage: Storage; upstreams: UpstreamSet },
): void {
  const { index, revisions } = storage;
  const { evictor } = cache;
  evictor.start();
  opened.defer(async () => evictor.stop());
  if (!config.scrub.enabled) return;
  const refetch = new Refetch({ ...cache, index, revisions, upstreams: upstreams.cached, logger });
  const scrubber = new Scrubber({
    blobs: cache.store,
    index,
    clock,
    logger,
    metrics,
    bytesPerSecond: config.scrub.bytesPerSecond,
    pauseMs: 3_600_000,
    onCorrupt: () => undefined, // the store itself tells who needs to know
    refetch: (digest) => void refetch.fetch(digest),
  });
  scrubber.start();
  opened.defer(async () => scrubber.stop());
}

async function upstreamOptions(
  config: UpstreamConfig,
  tools: Pick<Tools, 'config' | 'version'> & { readonly logger: Logger; readonly metrics: Metrics },
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
    rejection: { attempts: 3, pauseMs: 600_000, maxPauseMs: 3_600_000 },
    listing: { maxPages: 100, maxBytes: 16 * 1024 * 1024, referrersAbsentMs: 3_600_000 },
    maxTokens: 10_000,
    allowPrivateTargets,
    egress: egressRoute(config, tools.config),
    userAgent: `wherry/${tools.version}`,
    clock,
    random: Math.random,
    logger: tools.logger,
    metrics: tools.metrics,
  };
}

function egressRoute({ proxy: own }: UpstreamConfig, { egress }: EdgeConfig): EgressRoute {
  if (own !== undefined) return fixedRoute(egressProxy(own));
  const { proxy, httpProxy = proxy, noProxy } = egress;
  return generalRoute({
    https: egressProxy(proxy),
    http: egressProxy(httpProxy),
    noProxy: noProxy.map((entry) => parseNoProxyRule(entry)).filter((rule) => rule !== undefined),
  });
}

function egressProxy(setting: ProxySetting | undefined): EgressProxy | undefined {
  if (setting === undefined || setting === 'direct') return undefined;
  const { origin, signIn } = setting;
  const authorization =
    signIn === undefined ? undefined : basicSignIn(signIn.username, signIn.password.reveal());
  return { url: new URL(origin), authorization };
}

function credentialSource(config: CredentialConfig, index: number): OpenCredential {
  const id = config.kind === 'password' ? config.username : `${config.kind}-${index + 1}`;
  const spec: CredentialSpec =
    config.kind === 'docker-config'
      ? { ...config, find: (text) => findInDockerConfig(text, config.registryNames) }
      : config;
  return configuredCredential(spec, { id, files: nodeDiskFiles });
}

function addressable({ name, hosts }: UpstreamConfig): { name: string; hosts: readonly string[] } {
  return { name, hosts: [name, ...hosts] };
}

async function reserveBytes({ data, cache }: EdgeConfig): Promise<number> {
  if (cache.reserve.unit === 'bytes') return cache.reserve.bytes;
  const { bsize, blocks } = await nodeDiskFiles.statfs(data);
  return Math.ceil(bsize * blocks * cache.reserve.fraction);
}

function tlsSource(tls: ListenerTlsConfig | undefined): TlsSource | undefined {
  if (tls === undefined) return undefined;
  const { cert, key, clientCa: ca, clientCert: mode = 'require' } = tls;
  return new DiskTlsSource({ cert, key, ...(ca === undefined ? {} : { clients: { ca, mode } }) });
}

function serveLimits({ limits }: EdgeConfig): ServeLimits {
  return {
    headersTimeoutMs: limits.headersTimeoutMs,
    keepAliveTimeoutMs: limits.keepAliveMs,
    maxHeaderBytes: limits.maxHeaderBytes,
    maxConnections: limits.maxConnections,
    maxConnectionsPerAddress: limits.maxConnectionsPerAddress,
    clientStallTimeoutMs: limits.clientStallMs,
  };
}

function openLog({ log }: EdgeConfig): PinoLogger {
  const { level, destination } = log;
  const named = destination === 'stderr' || destination === 'stdout' ? destination : { file: destination };
  return createPinoLogger({ level, destination: named });
}

function openAccessLog({ config, opened }: Tools): Logger {
  const { access } = config.log;
  if (access === 'off') return silentLogger;
  const logger = createPinoLogger({
    level: 'info',
    destination: access === 'stdout' ? 'stdout' : { file: access },
  });
  opened.defer(async () => logger.close());
  return logger;
}
