import type { Clock } from '../../src/base/clock.ts';
import type { Reference } from '../../src/oci/reference.ts';
import { parseRepositoryName, type RepositoryName } from '../../src/oci/repository-name.ts';
import { parseTag } from '../../src/oci/tag.ts';
import type { UpstreamTest, UpstreamTestStep } from '../../src/protocol/admin-api.ts';
import { UpstreamError } from '../../src/upstream/upstream-error.ts';
import type { UpstreamClient } from '../upstream-set.ts';
import { sentence } from './api-error.ts';

export interface TestedUpstream {
  readonly name: string;
  readonly url: string;
  readonly client: Pick<UpstreamClient, 'reach' | 'headManifest' | 'rateLimits'>;
}

export interface TestSubject {
  readonly repository: RepositoryName;
  readonly reference: Reference;
}

/** Docker's own example for reading the pull limit: asking for it by HEAD is not counted. */
export function hubSubject(): TestSubject | undefined {
  const [repository, tag] = [parseRepositoryName('ratelimitpreview/test'), parseTag('latest')];
  return repository && tag && { repository, reference: { kind: 'tag', tag } };
}

/** Asks an upstream step by step, and says in plain words what does not work. Never fails. */
export async function testUpstream(
  { name, url, client }: TestedUpstream,
  subject: TestSubject | undefined,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<UpstreamTest> {
  const reach = await timed(clock, 'reach', async () => {
    const { status } = await client.reach(signal);
    const scheme = url.startsWith('https:') ? 'TLS is fine and it' : 'it';
    const isRegistry = status === 200 || status === 401;
    return {
      passed: isRegistry,
      detail: isRegistry
        ? `${scheme} answers as a registry does (${status})`
        : `${scheme} answers ${status}: is this a registry's address?`,
    };
  });
  const signIn =
    reach.outcome === 'failed'
      ? skipped('sign in and read', 'it can not be reached')
      : subject === undefined
        ? skipped('sign in and read', 'nothing of it is cached: name an image to read')
        : await timed(clock, 'sign in and read', async () => read(client, subject, signal));
  const steps = [reach, signIn, pullsLeft(client)];
  return { upstream: name, url, passed: steps.every(({ outcome }) => outcome !== 'failed'), steps };
}

async function read(
  client: TestedUpstream['client'],
  { reference, repository }: TestSubject,
  signal: AbortSignal,
): Promise<{ passed: boolean; detail: string }> {
  try {
    await client.headManifest(repository, reference, signal);
    return { passed: true, detail: `${repository} can be read` };
  } catch (error) {
    const isAbsent = error instanceof UpstreamError && error.kind === 'absent';
    if (!isAbsent) throw error;
    return { passed: true, detail: `the upstream let us ask, and has no such image in ${repository}` };
  }
}

function pullsLeft({ rateLimits }: TestedUpstream['client']): UpstreamTestStep {
  const limits = [...rateLimits()];
  if (limits.length === 0) return skipped('pulls left', 'it has told no limit');
  const told = limits.map(
    ([credential, { limit, remaining }]) =>
      `${credential}: ${remaining}${limit === undefined ? '' : ` of ${limit}`}`,
  );
  const isSpent = limits.every(([, { remaining }]) => remaining === 0);
  return { name: 'pulls left', outcome: isSpent ? 'failed' : 'passed', detail: told.join(', ') };
}

function skipped(name: UpstreamTestStep['name'], detail: string): UpstreamTestStep {
  return { name, outcome: 'skipped', detail };
}

const advice: Readonly<Record<UpstreamError['kind'], string>> = {
  absent: 'it has no such image',
  denied: 'it does not let this account read the image, or wants a sign-in and none is configured',
  credential: 'it rejects the account that is configured',
  throttled: 'it throttles us: too many requests',
  unavailable: 'it can not be reached, or fails',
  malformed: 'its answer is not what a registry gives, or leads where we may not follow',
};

async function timed(
  clock: Clock,
  name: UpstreamTestStep['name'],
  ask: () => Promise<{ passed: boolean; detail: string }>,
): Promise<UpstreamTestStep> {
  const startedMs = clock.monotonicMs();
  const tookMs = (): number => Math.round(clock.monotonicMs() - startedMs);
  try {
    const { detail, passed } = await ask();
    return { name, outcome: passed ? 'passed' : 'failed', detail, tookMs: tookMs() };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { name, outcome: 'failed', detail: `${advice[error.kind]}: ${sentence(error)}`, tookMs: tookMs() };
  }
}
