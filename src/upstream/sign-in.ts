import { LRUCache } from 'lru-cache';
import type { RepositoryName } from '../oci/repository-name.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import {
  basicAuthorization,
  credentialFingerprint,
  type Credential,
  type CredentialSource,
} from './credential.ts';
import type { CredentialGate } from './credential-gate.ts';
import { judgeRealm, type RealmRules } from './realm-policy.ts';
import type { TokenRequest } from './token-endpoint.ts';
import type { TokenSource } from './token-source.ts';
import { UpstreamError } from './upstream-error.ts';

export interface SignInOptions {
  readonly source: CredentialSource;
  readonly gate: CredentialGate;
  readonly tokens: TokenSource;
  /** Asked for each challenge: what is known of the upstream's address changes. */
  readonly realmRules: () => RealmRules;
  /** Tries HTTP Basic on the upstream's base; fails with UpstreamError `credential` where it is turned away. */
  readonly probeBasic: (authorization: string, signal: AbortSignal) => Promise<void>;
  readonly maxRepositories: number;
}

/** Leave to ask, as shown in one request. */
export interface Grant {
  readonly authorization: string;
  /** To be called when the upstream did not take it. */
  withdraw(): void;
  /** What its failing right after it was made says: of the credential (Basic), or of its rights (a token). */
  readonly refusal: 'credential' | 'denied';
  /** After a 403: fails with UpstreamError `credential` where it is the credential that is not taken any more. */
  confirm(signal: AbortSignal): Promise<void>;
}

/** What an upstream asked for in a repository: enough to be ready for its next challenge there. */
type Demand =
  | {
      readonly kind: 'bearer';
      readonly request: TokenRequest;
      readonly withCredential: boolean;
      readonly realm: string;
    }
  | { readonly kind: 'basic' };

/**
 * Signs requests to one upstream with one credential, the way the upstream asks for. Nothing is shown before it was
 * asked for; from then on requests to the same repository are signed from the start.
 */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #demands: LRUCache<RepositoryName, Demand>;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#demands = new LRUCache({ max: options.maxRepositories });
  }

  /** For the first try; `undefined` while nothing is known of the repository. Fails with UpstreamError. */
  async prepare(repository: RepositoryName, signal: AbortSignal): Promise<Grant | undefined> {
    const demand = this.#demands.get(repository);
    return demand === undefined ? undefined : this.#meet(demand, signal);
  }

  /**
   * Answers the challenges of a 401. Fails with UpstreamError: `denied` where there is no credential to answer with,
   * `malformed` where the answer would send the credential to a stranger, else what the token endpoint's failure means.
   */
  async answer(
    fields: readonly string[],
    request: { readonly repository: RepositoryName; readonly name: string; readonly signal: AbortSignal },
  ): Promise<Grant> {
    const { repository, signal } = request;
    const demand = this.#demandOf(parseChallenges(fields), repository, request.name);
    this.#demands.set(repository, demand);
    const grant = await this.#meet(demand, signal);
    if (grant !== undefined) return grant;
    throw new UpstreamError(
      'denied',
      `${request.name}: the upstream wants a sign-in and there is no credential`,
      {
        request: request.name,
        status: 401,
      },
    );
  }

  #demandOf(challenges: readonly Challenge[], repository: RepositoryName, name: string): Demand {
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'),
    );
    if (bearer !== undefined) return this.#bearerDemand(bearer, repository, name);
    if (challenges.some(({ scheme }) => scheme === 'basic')) return { kind: 'basic' };
    const schemes = challenges.map(({ scheme }) => scheme).join(', ');
    const why = schemes === '' ? '401 without a challenge' : `no way to sign in with ${schemes}`;
    throw new UpstreamError('denied', `${name}: ${why}`, { request: name, status: 401 });
  }

  #bearerDemand(challenge: Challenge, repository: RepositoryName, name: string): Demand {
    const realm = challenge.parameters.get('realm') ?? '';
    const verdict = judgeRealm(realm, this.#options.realmRules());
    const origin = URL.parse(realm)?.origin ?? 'no URL';
    if (verdict.kind === 'refused') {
      throw new UpstreamError('malformed', `${name}: token realm ${origin} refused: ${verdict.why}`, {
        request: name,
        status: 401,
      });
    }
    const scope = challenge.parameters.get('scope') ?? '';
    const request = {
      realm: verdict.url,
      service: challenge.parameters.get('service'),
      scope: scope === '' ? `repository:${repository}:pull` : scope,
    };
    return { kind: 'bearer', request, withCredential: verdict.withCredential, realm: origin };
  }

  async #meet(demand: Demand, signal: AbortSignal): Promise<Grant | undefined> {
    const credential = await this.#options.source.read(signal);
    if (demand.kind === 'basic') return this.#basicGrant(credential, signal);
    if (!demand.withCredential && credential.kind !== 'anonymous') {
      throw new UpstreamError(
        'malformed',
        `token realm ${demand.realm} refused: it is not of the upstream's own domain; ` +
          `list ${demand.realm} under trustedRealms to send it this credential`,
      );
    }
    const { tokens, gate, source } = this.#options;
    const bearer = { credential, credentialId: source.id, gate };
    const token = await this.#judge(credential, async () => tokens.token(demand.request, bearer, signal));
    return {
      authorization: `Bearer ${token}`,
      withdraw: () => tokens.forget(demand.request, bearer, token),
      refusal: 'denied',
      confirm: async () => undefined,
    };
  }

  async #basicGrant(credential: Credential, signal: AbortSignal): Promise<Grant | undefined> {
    const { gate, source, probeBasic } = this.#options;
    if (credential.kind === 'anonymous') return undefined;
    if (credential.kind === 'identity-token') {
      throw new UpstreamError(
        'credential',
        `credential ${source.id}: an identity token is no answer to HTTP Basic`,
      );
    }
    const authorization = basicAuthorization(credential.username, credential.password);
    const fingerprint = credentialFingerprint(credential);
    // ECR answers 403 to a password that has expired, as it does to a repository that is not the caller's.
    const probe = async (probeSignal: AbortSignal): Promise<void> => probeBasic(authorization, probeSignal);
    const confirm = async (signal: AbortSignal): Promise<void> =>
      this.#judge(credential, async () => gate.attempt(fingerprint, probe, signal));
    if (!gate.isProven(fingerprint)) await confirm(signal);
    const withdraw = (): void => {
      gate.reject(fingerprint);
      source.rejected?.(credential);
    };
    return { authorization, withdraw, refusal: 'credential', confirm };
  }

  /** Lets the source know of a login that was turned away. */
  async #judge<T>(credential: Credential, login: () => Promise<T>): Promise<T> {
    try {
      return await login();
    } catch (error) {
      const isRejection = error instanceof UpstreamError && error.kind === 'credential';
      if (isRejection) this.#options.source.rejected?.(credential);
      throw error;
    }
  }
}
