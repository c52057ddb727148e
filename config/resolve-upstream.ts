import { resolve } from 'node:path';
import type { ConfigIo } from './config-io.ts';
import type { CredentialConfig } from './credential-config.ts';
import type { UpstreamConfig } from './edge-schema.ts';
import { defaultFreshnessRule, type FreshnessRule } from './freshness-schema.ts';
import { checkPemFile } from './pem-file.ts';
import type { KeyPath, Report } from './problems.ts';
import { resolveCredential } from './resolve-credential.ts';
import { resolveUpstreamProxy } from './resolve-proxy.ts';
import type { WrittenUpstream } from './upstream-schema.ts';
import { impliedHosts, impliedUrl } from './well-known-upstreams.ts';

export interface UpstreamContext {
  readonly io: ConfigIo;
  /** Where the upstream stands. */
  readonly path: KeyPath;
  readonly report: Report;
  readonly generalFreshness: readonly FreshnessRule[];
  readonly cacheMaxBytes: number | 'auto';
}

/** Fills in what depends on other keys, reads the secrets, and reports what does not go together. */
export function resolveUpstream(written: WrittenUpstream, context: UpstreamContext): UpstreamConfig {
  const { path, report, io } = context;
  const { name } = written;
  if (written.url === undefined && !/[.:]/.test(name) && name !== 'localhost') {
    report([...path, 'url'], `is required: "${name}" is an alias and no host name`);
  }
  const url = written.url ?? impliedUrl(name);
  const hosts = [...new Set([...written.hosts, ...impliedHosts(name)])].filter((host) => host !== name);
  const credentials = written.credentials
    .map((credential, index) =>
      resolveCredential(credential, {
        io,
        report,
        path: [...path, 'credentials', index],
        registryNames: [...new Set([name, ...hosts, new URL(url).host])],
      }),
    )
    .filter((credential): credential is CredentialConfig => credential !== undefined);
  checkAccess(written, context);
  checkInsecure(written, url, context);
  if (written.breaker.pauseMs > written.breaker.maxPauseMs) {
    report([...path, 'breaker', 'maxPause'], 'must not be shorter than pause');
  }
  if (context.cacheMaxBytes !== 'auto' && (written.quotaBytes ?? 0) > context.cacheMaxBytes) {
    report([...path, 'quota'], 'must not be larger than cache.maxBytes');
  }
  const { proxy: _, proxySignIn, ...rest } = written;
  return {
    ...rest,
    ...resolveUpstreamProxy(
      { proxy: written.proxy, proxySignIn },
      { io, report, path: [...path, 'proxySignIn'] },
    ),
    url,
    hosts,
    credentials,
    access: written.access ?? 'public',
    tls: resolveTls(written, context),
    freshness: untilEveryTagMatches([
      ...written.freshness,
      ...context.generalFreshness,
      defaultFreshnessRule,
    ]),
  };
}

/** Leaves out the rules after the first one for every tag: they never count. */
function untilEveryTagMatches(rules: readonly FreshnessRule[]): readonly FreshnessRule[] {
  const last = rules.findIndex(({ tags }) => tags.includes('*'));
  return rules.slice(0, last + 1);
}

function checkAccess(written: WrittenUpstream, { path, report }: UpstreamContext): void {
  if (written.access === 'token') {
    report([...path, 'access'], 'token needs a hub, and this version has none yet: use public or open');
  } else if (written.access === undefined && written.credentials.length > 0) {
    report(
      [...path, 'access'],
      'is required where there is a credential: "public" serves only what anybody may pull there, "open" serves all that the credential reaches to everybody who reaches the edge',
    );
  }
}

function checkInsecure(written: WrittenUpstream, url: string, { path, report }: UpstreamContext): void {
  const { protocol, hostname } = new URL(url);
  const local = hostname === 'localhost' || hostname === '[::1]' || /^127\.[\d.]+$/.test(hostname);
  // A proxy of its own may lead anywhere, with an address that is local here too.
  const staysHere = local && (written.proxy === undefined || written.proxy === 'direct');
  if (protocol === 'http:' && written.credentials.length > 0 && !staysHere && !written.tls.insecure) {
    report(
      [...path, 'url'],
      'would send the credential unencrypted: use https://, or accept that with tls.insecure: true',
    );
  }
  if (written.tls.insecure && written.tls.ca !== undefined) {
    report(
      [...path, 'tls', 'insecure'],
      'accepts every certificate, so that ca has no effect: keep one of them',
    );
  }
  if (
    protocol === 'http:' &&
    [written.tls.ca, written.tls.cert, written.tls.key].some((file) => file !== undefined)
  ) {
    report([...path, 'tls'], 'has no effect with an http:// address');
  }
}

function resolveTls(written: WrittenUpstream, { path, report, io }: UpstreamContext): WrittenUpstream['tls'] {
  const { ca, cert, key, insecure } = written.tls;
  if ((cert === undefined) !== (key === undefined)) {
    report(
      [...path, 'tls', cert === undefined ? 'cert' : 'key'],
      'is required: a client certificate is cert and key together',
    );
  }
  const files = Object.entries({ ca, cert, key })
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, file]) => [name, resolve(io.workingDirectory, file)] as const);
  for (const [name, file] of files) checkPemFile(file, { io, report, path: [...path, 'tls', name] });
  return { ...Object.fromEntries(files), insecure };
}
