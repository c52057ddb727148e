import { resolve } from 'node:path';
import type { z } from 'zod';
import type { ConfigIo } from './config-io.ts';
import { edgeSchema, type EdgeConfig, type UpstreamConfig } from './edge-schema.ts';
import { show } from './field.ts';
import type { Report } from './problems.ts';
import { resolveAdminToken } from './resolve-admin-token.ts';
import { checkListenAddresses, resolveListeners, resolveListenerTls } from './resolve-listeners.ts';
import { resolveEgress } from './resolve-proxy.ts';
import { resolveUpstream, type UpstreamContext } from './resolve-upstream.ts';
import { reportSchemaIssues } from './schema-problems.ts';
import type { Tree } from './settings-draft.ts';
import { checkUpstreamNames } from './upstream-names.ts';
import { upstreamSchema, type WrittenUpstream } from './upstream-schema.ts';
import { wellKnownUpstreams } from './well-known-upstreams.ts';

type Shape = typeof edgeSchema.shape;

/** The sections of the settings that are in order, so that checks across keys run also beside a broken section. */
type Sections = { readonly [Key in keyof Shape]?: z.output<Shape[Key]> };

/**
 * Turns gathered settings into the configuration. Reports everything that is wrong, as far as it can be told, and
 * gives `undefined` only when the schema refused the settings: the caller must look at the reports, not at this.
 */
export function resolveEdgeConfig(
  tree: Readonly<Tree>,
  io: ConfigIo,
  report: Report,
): EdgeConfig | undefined {
  const parsed = edgeSchema.safeParse(tree);
  if (!parsed.success) reportSchemaIssues(parsed.error.issues, report);
  const sections = parsed.success ? parsed.data : partsInOrder(tree);
  reportLaterVersions(tree, report);
  checkListenAddresses(sections, report);
  checkCache(sections, report);
  const upstreams = resolveUpstreams(tree, {
    io,
    report,
    generalFreshness: sections.freshness ?? [],
    cacheMaxBytes: sections.cache?.maxBytes ?? 'auto',
  });
  const adminToken = resolveAdminToken(sections, { io, report });
  const tls = resolveListenerTls(sections.tls, { io, report, path: ['tls'] });
  const listeners = resolveListeners(sections.listeners ?? [], { io, report, upstreams });
  const egress = resolveEgress(sections.egress ?? { noProxy: [] }, { io, report });
  const [first, ...rest] = upstreams;
  if (!parsed.success || first === undefined) return undefined;
  const { listen, adminListen, data, freshness, cache, scrub, log, limits } = parsed.data;
  return {
    listen,
    adminListen,
    listeners,
    data: resolve(io.workingDirectory, data),
    upstreams: [first, ...rest],
    egress,
    freshness,
    cache,
    scrub,
    log: {
      ...log,
      destination: fileOr(['stderr', 'stdout'], log.destination, io),
      access: fileOr(['stdout', 'off'], log.access, io),
    },
    limits,
    ...(adminToken === undefined ? {} : { adminToken }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function partsInOrder(tree: Readonly<Tree>): Sections {
  const entries = Object.entries(edgeSchema.shape).map(([key, schema]) => {
    const parsed = schema.safeParse(tree[key]);
    return [key, parsed.success ? parsed.data : undefined] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

const laterVersions = {
  tokenListen: 'the token listener needs a hub; this version has none yet',
  site: 'sites come with the hub; this version has none yet',
  peers: 'this version does not share content between edges yet',
  hub: 'this version has no hub yet: an edge runs on its own',
  joinToken: 'is for joining a hub; this version has none yet',
  joinTokenFile: 'is for joining a hub; this version has none yet',
} as const;

function reportLaterVersions(tree: Readonly<Tree>, report: Report): void {
  for (const [key, message] of Object.entries(laterVersions)) {
    const value = tree[key];
    const absent = value === undefined || (Array.isArray(value) && value.length === 0);
    if (!absent) report([key], message);
  }
}

function checkCache({ cache }: Sections, report: Report): void {
  if (cache !== undefined && cache.lowWatermark >= cache.highWatermark) {
    report(
      ['cache', 'lowWatermark'],
      `must be below highWatermark (${cache.highWatermark}), got ${show(cache.lowWatermark)}`,
    );
  }
}

/** Leaves out the upstreams that the schema refused: those were reported. */
function resolveUpstreams(
  tree: Readonly<Tree>,
  context: Omit<UpstreamContext, 'path'>,
): readonly UpstreamConfig[] {
  const written = Array.isArray(tree['upstreams']) ? tree['upstreams'] : [];
  const valid = written.flatMap((value: unknown, index): readonly (readonly [number, WrittenUpstream])[] => {
    const parsed = upstreamSchema.safeParse(value);
    return parsed.success ? [[index, parsed.data]] : [];
  });
  checkUpstreamNames(written, context.report);
  return valid.map(([index, upstream]) =>
    resolveUpstream(upstream, { ...context, path: ['upstreams', index] }),
  );
}

function fileOr(words: readonly string[], value: string, io: ConfigIo): string {
  return words.includes(value) ? value : resolve(io.workingDirectory, value);
}

/** The upstreams of an edge that was told none, in the form of a file. */
export function defaultUpstreams(): readonly Tree[] {
  return wellKnownUpstreams.map((name) => ({ name }));
}
