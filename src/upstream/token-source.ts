import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import { SingleFlight } from '../base/single-flight.ts';
import { credentialFingerprint, type Credential } from './credential.ts';
import type { CredentialGate } from './credential-gate.ts';
import type { BearerToken, TokenEndpoint, TokenRequest } from './token-endpoint.ts';

export interface TokenSourceOptions {
  readonly endpoint: TokenEndpoint;
  readonly clock: Clock;
  readonly maxTokens: number;
}

/** On whose behalf a token is asked for. */
export interface TokenBearer {
  readonly credential: Credential;
  readonly credentialId: string;
  readonly gate: CredentialGate;
}

interface RememberedToken {
  readonly value: string;
  readonly freshUntilMs: number;
}

/** A token is renewed this long before its end, so that it does not run out between here and the upstream. */
const marginMs = 10_000;

/**
 * Bearer tokens, remembered while they are good. What one credential was granted is never used for another, nor for the
 * same one after its secret changed. At most one request at a time is made for each token.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  readonly #remembered: LRUCache<string, RememberedToken>;
  readonly #flights = new SingleFlight<string, string>();

  constructor(options: TokenSourceOptions) {
    this.#options = options;
    this.#remembered = new LRUCache({ max: options.maxTokens });
  }

  /** Fails as TokenEndpoint and CredentialGate do. */
  async token(request: TokenRequest, bearer: TokenBearer, signal: AbortSignal): Promise<string> {
    const key = tokenKey(request, bearer);
    const remembered = this.#remembered.get(key);
    if (remembered !== undefined && this.#options.clock.monotonicMs() < remembered.freshUntilMs) {
      return remembered.value;
    }
    const { value } = await this.#flights.run(
      key,
      async (flightSignal) => {
        const token = await this.#fetch(request, bearer, flightSignal);
        this.#remember(key, token);
        return token.value;
      },
      signal,
    );
    return value;
  }

  /** The upstream did not take `value`: it is not to be used again. */
  forget(request: TokenRequest, bearer: TokenBearer, value: string): void {
    const key = tokenKey(request, bearer);
    if (this.#remembered.peek(key)?.value === value) this.#remembered.delete(key);
  }

  async #fetch(request: TokenRequest, bearer: TokenBearer, signal: AbortSignal): Promise<BearerToken> {
    const { endpoint } = this.#options;
    const { credential, gate } = bearer;
    if (credential.kind === 'anonymous') return endpoint.fetch(request, credential, signal);
    return gate.attempt(
      credentialFingerprint(credential),
      async (loginSignal) => endpoint.fetch(request, credential, loginSignal),
      signal,
    );
  }

  #remember(key: string, token: BearerToken): void {
    const usableMs = Math.max(token.lifetimeMs / 2, token.lifetimeMs - marginMs);
    this.#remembered.set(key, {
      value: token.value,
      freshUntilMs: this.#options.clock.monotonicMs() + usableMs,
    });
  }
}

function tokenKey(request: TokenRequest, bearer: TokenBearer): string {
  const { realm, service, scope } = request;
  return JSON.stringify([
    realm.href,
    service,
    scope,
    bearer.credentialId,
    credentialFingerprint(bearer.credential),
  ]);
}
