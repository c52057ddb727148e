import type { Clock } from '../src/base/clock.ts';
import type { CacheIndex } from '../src/cache/cache-index.ts';
import type { CachedUpstream } from '../src/cache/cached-upstream.ts';
import type { FreshnessRule } from '../src/cache/freshness.ts';
import { PublicAccess } from '../src/cache/public-access.ts';
import { compileTagPatterns } from '../src/cache/tag-pattern.ts';
import type { HealthCheck } from '../src/http/health.ts';
import type { RateLimit } from '../src/upstream/rate-limit.ts';
import type { RegistryClient, UpstreamHealth } from '../src/upstream/registry-client.ts';
import type { EdgeUpstream } from './edge-upstream.ts';

/** What the edge needs to know of an upstream besides how to call it. */
export interface UpstreamSettings {
  readonly name: string;
  readonly url: string;
  readonly access: 'public' | 'open' | 'token';
  readonly hasCredential: boolean;
  readonly publicProbeLifetimeMs: number;
  readonly onUpstreamGone: 'refuse' | 'serve';
  /** Patterns of tags. */
  readonly archived: readonly string[];
  /** The first that matches holds; the last matches every tag. */
  readonly freshness: readonly (FreshnessRule & { readonly tags: readonly string[] })[];
}

export interface UpstreamClient extends RegistryClient {
  health(): UpstreamHealth;
  rateLimits(): ReadonlyMap<string, RateLimit>;
  reach(signal: AbortSignal): Promise<{ readonly status: number }>;
  close(): Promise<void>;
}

export interface UpstreamSetOptions {
  readonly settings: readonly UpstreamSettings[];
  /** Makes a client of the upstream, with its credentials or as anybody. The set closes it. */
  readonly connect: (name: string, as: 'itself' | 'anybody') => UpstreamClient;
  readonly index: CacheIndex;
  readonly clock: Clock;
}

/** The upstreams of one edge, by name. */
export class UpstreamSet {
  readonly byName: ReadonlyMap<string, EdgeUpstream>;
  readonly clients: readonly (UpstreamClient & { readonly name: string; readonly url: string })[];
  readonly #opened: UpstreamClient[] = [];

  constructor({ settings, connect, index, clock }: UpstreamSetOptions) {
    const open = (name: string, as: 'itself' | 'anybody'): UpstreamClient => {
      const client = connect(name, as);
      this.#opened.push(client);
      return client;
    };
    const entries = settings.map((upstream) => {
      const client = open(upstream.name, 'itself');
      const guarded = upstream.access === 'public' && upstream.hasCredential;
      const publicAccess = guarded
        ? new PublicAccess({
            anonymous: open(upstream.name, 'anybody'),
            index,
            clock,
            lifetimeMs: upstream.publicProbeLifetimeMs,
          })
        : undefined;
      return { upstream, client, edge: { cached: cachedUpstream(upstream, client), publicAccess } };
    });
    this.byName = new Map(entries.map(({ upstream, edge }) => [upstream.name, edge]));
    this.clients = entries.map(({ upstream: { name, url }, client }) => ({ ...client, name, url }));
  }

  get cached(): ReadonlyMap<string, CachedUpstream> {
    return new Map([...this.byName].map(([name, { cached }]) => [name, cached]));
  }

  /** Upstreams are reported and no reason to be taken out of service: the cache serves without them. */
  checks(): readonly HealthCheck[] {
    return this.clients.map((client) => ({
      name: `upstream ${client.name}`,
      required: false,
      check: () => {
        const { away, answeredAtMs } = client.health();
        const detail = away ? 'does not answer' : answeredAtMs === undefined ? 'not asked yet' : 'answers';
        return { healthy: !away, detail };
      },
    }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map(async (client) => client.close()));
  }
}

function cachedUpstream(settings: UpstreamSettings, client: UpstreamClient): CachedUpstream {
  const rules = settings.freshness.map((rule) => ({ rule, matches: compileTagPatterns(rule.tags) }));
  const last = settings.freshness.at(-1);
  if (last === undefined) throw new Error(`no freshness rule for ${settings.name}`);
  return {
    name: settings.name,
    client,
    health: () => client.health(),
    freshness: (tag) => rules.find(({ matches }) => matches(tag))?.rule ?? last,
    rule: last,
    isArchived: compileTagPatterns(settings.onUpstreamGone === 'serve' ? ['*'] : settings.archived),
  };
}
