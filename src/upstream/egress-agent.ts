import https from 'node:https';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { EgressRoute } from './egress-route.ts';
import { openTunnel } from './proxy-tunnel.ts';

export interface EgressAgentOptions {
  readonly egress: EgressRoute;
  /** To connect to a proxy and to get its answer. */
  readonly timeoutMs: number;
  readonly userAgent: string;
  readonly clock: Clock;
  /** PEM; trusted instead of the well-known authorities. */
  readonly ca?: string;
}

/** Takes the route of an upstream for libraries that send https requests by themselves, over `node:https`. */
export class EgressAgent extends https.Agent {
  readonly #options: EgressAgentOptions;

  constructor(options: EgressAgentOptions) {
    super(options.ca === undefined ? {} : { ca: options.ca });
    this.#options = options;
  }

  override createConnection(
    options: https.RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const { egress, ...tunnel } = this.#options;
    const host = options.host ?? 'localhost';
    const target = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${options.port ?? 443}`);
    const proxy = egress(target);
    if (proxy === undefined || callback === undefined) return super.createConnection(options, callback);
    openTunnel({ ...tunnel, proxy, target }).then(
      (socket) => callback(null, tls.connect({ ...(options as tls.ConnectionOptions), socket })),
      // Node takes an error without a connection, which its types leave out.
      (error: Error) => (callback as (failure: Error) => void)(error),
    );
    return undefined;
  }
}
