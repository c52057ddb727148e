import type { z } from 'zod';
import { cacheSchema } from './cache-schema.ts';
import type { CredentialConfig } from './credential-config.ts';
import { egressSchema } from './egress-schema.ts';
import { bytes, count, duration, hostPort, path, secret, text, toggle } from './field-kinds.ts';
import { choice, list, section } from './field.ts';
import { freshnessRuleSchema, type FreshnessRule } from './freshness-schema.ts';
import { listenersSchema, listenerTlsSchema } from './listener-schema.ts';
import { upstreamSchema, type WrittenUpstream } from './upstream-schema.ts';
import { withUnits } from './with-units.ts';

const scrubSchema = section(
  'Reads what is cached again, slowly, to find bytes that the disk changed; what is damaged is put aside and fetched anew.',
  {
    enabled: toggle('Whether it runs.').prefault(true),
    bytesPerSecond: bytes('How fast it reads.').prefault('20MB'),
  },
);

const logSchema = section('Where the logs go.', {
  level: choice('The least that is logged.', ['debug', 'info', 'warn', 'error', 'silent']).prefault('info'),
  destination: path('`stderr`, `stdout`, or a file.').prefault('stderr'),
  access: path('The access log, a line for each answer: `stdout`, `off`, or a file.').prefault('stdout'),
});

const limitsSchema = withUnits(
  section('Limits of the listeners.', {
    maxConnections: count('Open connections of clients, for each listener.').prefault(10_000),
    maxConnectionsPerAddress: count(
      'Open connections from one IPv4 address, or from one IPv6 network of 64 bits, for each listener. Raise it where all clients come from one address, as behind a load balancer.',
    ).prefault(2_500),
    headersTimeout: duration('How long a client may take to send the head of a request.', {
      minMs: 1,
    }).prefault('15s'),
    keepAlive: duration('How long an idle connection stays open.').prefault('65s'),
    maxHeaderBytes: bytes('The largest head of a request.', { minBytes: 1024 }).prefault('16KiB'),
    clientStall: duration('How long a client may stop taking bytes before it is cut off.', {
      minMs: 1,
    }).prefault('5m'),
    drain: duration('How long answers under way may take to end when the edge stops.').prefault('30s'),
  }),
  {
    headersTimeout: 'headersTimeoutMs',
    keepAlive: 'keepAliveMs',
    clientStall: 'clientStallMs',
    drain: 'drainMs',
  },
);

/** Everything an edge can be told, as a file states it. Parsing gives defaults; encoding gives the file's form back. */
export const edgeSchema = section('The edge.', {
  listen: hostPort('The mirror listener: what clients use.').prefault('127.0.0.1:5000'),
  adminListen: hostPort(
    'The admin listener: status page, metrics, health, and the API that `wherry ctl` uses. On an address that is not loopback the API wants the admin token; pages, metrics and health are open to whoever reaches it.',
  ).prefault('127.0.0.1:5002'),
  adminToken: secret(
    'What callers of the admin API show as a bearer token, at least 16 characters. Without one the API answers callers on a loopback adminListen only.',
  ).optional(),
  adminTokenFile: path('File that holds the admin token; one line end after it is dropped.').optional(),
  adminTokenEnv: text(
    'Environment variable that holds the admin token.',
    'the name of an environment variable',
  ).optional(),
  data: path('Folder of the cache.').prefault('./data'),
  tls: listenerTlsSchema.optional(),
  listeners: listenersSchema,
  upstreams: list(
    'The registries that are mirrored. Without any, the well-known public ones, listed above.',
    upstreamSchema,
  ).prefault([]),
  egress: egressSchema.prefault({}),
  freshness: list(
    'How long a tag is used before the upstream is asked again: rules for all upstreams. The first that matches the tag counts; tags that none matches follow the defaults below.',
    freshnessRuleSchema,
  ).prefault([]),
  cache: cacheSchema.prefault({}),
  scrub: scrubSchema.prefault({}),
  log: logSchema.prefault({}),
  limits: limitsSchema.prefault({}),
  tokenListen: hostPort('The token listener. Needs a hub: not in this version.').optional(),
  site: text('Name of the site. Needs a hub: not in this version.', 'a name').optional(),
  peers: list(
    'Other edges of the site. Not in this version.',
    text('Address of an edge.', 'an address'),
  ).prefault([]),
  hub: text('Address of the hub. Not in this version.', 'an address').optional(),
  joinToken: secret('What the edge joins its hub with. Not in this version.').optional(),
  joinTokenFile: path('File that holds the join token. Not in this version.').optional(),
});

export type WrittenEdge = z.output<typeof edgeSchema>;

type OfLaterVersions = 'tokenListen' | 'site' | 'peers' | 'hub' | 'joinToken' | 'joinTokenFile';

/** Configuration of an edge with every default filled in, every secret read and every path absolute. */
export interface EdgeConfig extends Readonly<
  Omit<WrittenEdge, OfLaterVersions | 'upstreams' | 'adminTokenFile' | 'adminTokenEnv'>
> {
  /** At least one. Names and hosts differ from one another. */
  readonly upstreams: readonly [UpstreamConfig, ...UpstreamConfig[]];
}

export interface UpstreamConfig extends Readonly<
  Omit<WrittenUpstream, 'url' | 'access' | 'credentials' | 'freshness' | 'proxySignIn'>
> {
  /** Origin, without a slash at the end. */
  readonly url: string;
  readonly access: 'public' | 'open' | 'token';
  readonly credentials: readonly CredentialConfig[];
  /** In order: this upstream's rules, then the general ones, up to the first for every tag, which is always there. */
  readonly freshness: readonly FreshnessRule[];
}
