import { parseReference } from '../../oci/reference.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import type { RateLimit } from '../../upstream/rate-limit.ts';
import type { RegistryClient } from '../../upstream/registry-client.ts';
import { UpstreamError } from '../../upstream/upstream-error.ts';
import type { Finding } from './finding.ts';
import { codeOf, reasonOf, type AskOptions, type HttpReply, type Machine } from './machine.ts';

export interface CheckedUpstream {
  readonly name: string;
  readonly url: string;
  readonly tls: AskOptions;
  readonly hasCredential: boolean;
  readonly client: RegistryClient & { rateLimits(): ReadonlyMap<string, RateLimit> };
}

const maxSkewMs = 30_000;
const brokenSkewMs = 300_000;
const signInTimeoutMs = 20_000;
const fewPulls = 20;

/** Name, connection, TLS, clock, sign-in and pull limit, in the order in which one needs the other. */
export async function checkUpstream(
  machine: Machine,
  upstream: CheckedUpstream,
): Promise<readonly Finding[]> {
  const check = `upstream ${upstream.name}`;
  const { hostname } = new URL(upstream.url);
  try {
    await machine.resolve(hostname.replace(/^\[|\]$/g, ''));
  } catch (error) {
    const remedy = `see whether this machine's name server answers (getent hosts ${hostname})`;
    return [{ check, severity: 'broken', message: `${hostname} has no address: ${reasonOf(error)}`, remedy }];
  }
  let reply: HttpReply;
  try {
    reply = await machine.ask(`${upstream.url}/v2/`, upstream.tls);
  } catch (error) {
    return [
      {
        check,
        severity: 'broken',
        message: `cannot be reached: ${reasonOf(error)}`,
        remedy: connectRemedy(error, upstream),
      },
    ];
  }
  return [...checkClock(machine, check, reply), ...(await checkSignIn(check, upstream))];
}

function connectRemedy(error: unknown, { url }: CheckedUpstream): string {
  const code = codeOf(error);
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return 'give the authority that signed its certificate under tls.ca; see also whether the clock is right';
  }
  return `see whether a firewall or a proxy stands between this machine and ${url}`;
}

function checkClock(machine: Machine, check: string, { dateMs }: HttpReply): readonly Finding[] {
  if (dateMs === undefined) return [];
  const skewMs = machine.nowMs() - dateMs;
  if (Math.abs(skewMs) <= maxSkewMs) return [];
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return [
    {
      check: `clock against ${check}`,
      severity: Math.abs(skewMs) > brokenSkewMs ? 'broken' : 'warning',
      message: `this machine is ${seconds} s ${skewMs > 0 ? 'ahead' : 'behind'}: tokens and certificates may be refused`,
      remedy: 'let it follow a time server (timedatectl set-ntp true)',
    },
  ];
}

/** Asks by HEAD, which costs no pull at Docker Hub, for an image that need not be there. */
async function checkSignIn(check: string, upstream: CheckedUpstream): Promise<readonly Finding[]> {
  const { client, hasCredential, name } = upstream;
  const repository = parseRepositoryName(name === 'docker.io' ? 'library/alpine' : 'wherry/doctor');
  const reference = parseReference('latest');
  if (repository === undefined || reference === undefined) return [];
  try {
    await client.headManifest(repository, reference, AbortSignal.timeout(signInTimeoutMs));
  } catch (error) {
    const isVerdict = error instanceof UpstreamError && error.isVerdict;
    if (!isVerdict) return [refusal(check, error)];
  }
  const budgets = [...client.rateLimits()].map(([credential, limit]) =>
    checkBudget(check, credential, limit),
  );
  const how = hasCredential ? 'answers, and nothing is wrong with the credential' : 'answers';
  return [{ check, severity: 'ok', message: how }, ...budgets];
}

function refusal(check: string, error: unknown): Finding {
  const kind = error instanceof UpstreamError ? error.kind : 'unavailable';
  const message = reasonOf(error);
  switch (kind) {
    case 'credential':
      return {
        check,
        severity: 'broken',
        message: `rejects the credential: ${message}`,
        remedy: 'renew the credential of this upstream',
      };
    case 'throttled':
      return {
        check,
        severity: 'warning',
        message: `throttles: ${message}`,
        remedy: 'wait, or give the upstream an account',
      };
    case 'absent':
    case 'denied':
    case 'malformed':
    case 'unavailable':
      return {
        check,
        severity: 'broken',
        message,
        remedy: 'see what the upstream, or what stands before it, answers (curl -v)',
      };
  }
}

function checkBudget(check: string, credential: string, { limit, remaining }: RateLimit): Finding {
  const message = `${credential} has ${remaining}${limit === undefined ? '' : ` of ${limit}`} pulls left`;
  if (remaining >= fewPulls) return { check, severity: 'ok', message };
  return {
    check,
    severity: 'warning',
    message,
    remedy: 'give the upstream an account, or another one with a higher limit',
  };
}
