import type { Agent as HttpsAgent } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { CredentialSource } from '../credential.ts';
import type { RejectionLimits } from '../credential-gate.ts';
import type { HttpTransport } from '../http-transport.ts';
import type { UpstreamMetrics } from '../upstream-metrics.ts';

/** What an upstream lends to the credentials that it is used with. */
export interface CredentialContext {
  readonly upstream: URL;
  readonly transport: HttpTransport;
  /** Makes an agent, which takes the upstream's egress route, for a library that does not use `transport`. */
  readonly httpsAgent: () => HttpsAgent;
  readonly limits: RejectionLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: UpstreamMetrics;
}

/** Makes a source of credentials for one upstream. Loads and asks nothing before the first is read. */
export type OpenCredential = (context: CredentialContext) => CredentialSource;
