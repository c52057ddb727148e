import type { z } from 'zod';
import { credentialSchema } from './credential-schema.ts';
import { proxySetting, proxySignInSchema } from './egress-schema.ts';
import { bytes, count, duration, path, toggle } from './field-kinds.ts';
import { choice, list, section } from './field.ts';
import { freshnessRuleSchema } from './freshness-schema.ts';
import { realmOrigin, registryName, registryUrl, tagPattern } from './registry-fields.ts';
import { withUnits } from './with-units.ts';

const upstreamTlsSchema = section('TLS towards the upstream.', {
  ca: path('PEM file with the authorities to trust instead of the well-known ones.').optional(),
  cert: path('PEM file with the client certificate.').optional(),
  key: path('PEM file with the key of the client certificate.').optional(),
  insecure: toggle('Accepts any certificate, and credentials over plain HTTP. For trials only.').prefault(
    false,
  ),
});

const timeoutsSchema = withUnits(
  section('How long the upstream may take.', {
    connect: duration('To connect, TLS included.', { minMs: 1 }).prefault('5s'),
    headers: duration('To begin an answer.', { minMs: 1 }).prefault('10s'),
    idle: duration('Between two pieces of a body.', { minMs: 1 }).prefault('30s'),
  }),
  { connect: 'connectMs', headers: 'headersMs', idle: 'idleMs' },
);

const breakerSchema = withUnits(
  section('When an upstream that fails is left alone.', {
    failures: count('Failures in a row that open the breaker.').prefault(3),
    pause: duration('How long it stays open at first; doubles each time.', { minMs: 1 }).prefault('5s'),
    maxPause: duration('The longest it stays open.', { minMs: 1 }).prefault('60s'),
  }),
  { pause: 'pauseMs', maxPause: 'maxPauseMs' },
);

export const upstreamSchema = withUnits(
  section('Registries that content comes from. The first is the default one, for names without a registry.', {
    name: registryName('The registry as image names carry it, such as `docker.io`; a port may follow.'),
    url: registryUrl(
      'Where it answers. Default: `https://<name>`; for docker.io `https://registry-1.docker.io`.',
    ).optional(),
    hosts: list('Further names that mean this upstream.', registryName('A further name.')).prefault([]),
    access: choice(
      'Who may pull: `public`, what the upstream gives to anonymous callers; `open`, everything its credential reaches; `token`, whom a hub allows (not in this version). Required where there is a credential, else `public`.',
      ['public', 'open', 'token'],
    ).optional(),
    credentials: list(
      'Accounts at the upstream. Several share the load: the one with most pulls left goes first, and what one is refused is tried with the next.',
      credentialSchema,
    )
      .max(16)
      .prefault([]),
    publicProbeLifetime: duration(
      'With `access: public` and a credential: how long it is remembered that a repository is public.',
    ).prefault('1h'),
    trustedRealms: list(
      'Hosts outside the upstream’s own domain that may issue its tokens and so see its credential.',
      realmOrigin('A host, or an origin such as `https://auth.example.com:8443`.'),
    ).prefault([]),
    allowPrivateTargets: toggle(
      'Lets redirects and token realms lead to private and loopback addresses even where the upstream itself has a public one.',
    ).prefault(false),
    proxy: proxySetting(
      'The forward proxy for all that concerns this upstream, its token endpoint and its redirects included, or `direct`. Default: as `egress` says. `egress.noProxy` has no say in it.',
    ).optional(),
    proxySignIn: proxySignInSchema.optional(),
    tls: upstreamTlsSchema.prefault({}),
    timeouts: timeoutsSchema.prefault({}),
    maxConnections: count('Connections to the upstream at a time.').prefault(64),
    maxFills: count('Blobs that are fetched from it at a time.').prefault(16),
    quota: bytes(
      'The most the cache holds of this upstream. Default: no limit but the cache’s own.',
    ).optional(),
    onUpstreamGone: choice(
      'When the upstream says that a cached tag is gone: `refuse` obeys, `serve` keeps serving it.',
      ['refuse', 'serve'],
    ).prefault('refuse'),
    archived: list(
      'Tags that are served from the cache even after the upstream said that they are gone.',
      tagPattern('A pattern of tags.'),
    ).prefault([]),
    breaker: breakerSchema.prefault({}),
    freshness: list(
      'Rules for this upstream; they go before the general ones.',
      freshnessRuleSchema,
    ).prefault([]),
  }),
  { publicProbeLifetime: 'publicProbeLifetimeMs', quota: 'quotaBytes' },
);

/** An upstream as written: defaults that do not depend on other keys are filled in, secrets are not read yet. */
export type WrittenUpstream = z.output<typeof upstreamSchema>;
