import { createHash } from 'node:crypto';
import type { TokenCredential } from '@azure/identity';
import { UpstreamError } from '../upstream-error.ts';
import { exchangeForRefreshToken, type AcrExchangeOptions } from './acr-exchange.ts';
import { cloudFailure } from './cloud-failure.ts';
import type { Login, ObtainedCredential } from './login.ts';
import type { SecretText } from './secret-text.ts';
import { untilAborted } from './until-aborted.ts';

export type AzurePrincipal =
  | {
      readonly kind: 'secret';
      readonly tenantId: string;
      readonly clientId: string;
      readonly secret: SecretText;
    }
  | {
      readonly kind: 'workload';
      readonly tenantId: string;
      readonly clientId: string;
      readonly tokenFile: string;
    }
  /** Of the machine; a system-assigned one without `clientId`. */
  | { readonly kind: 'managed'; readonly clientId: string | undefined };

export interface AzureLoginOptions {
  readonly id: string;
  readonly principal: AzurePrincipal;
  /** In place of https://login.microsoftonline.com; https only, says the library. */
  readonly endpoint: string | undefined;
  readonly exchange: AcrExchangeOptions;
}

/** The resource that registries accept tokens for, in every cloud of Azure. */
const scope = 'https://containerregistry.azure.net/.default';

/**
 * A refresh token of an Azure Container Registry, good for three hours, by way of Microsoft Entra. The library is loaded
 * at the first login.
 */
export class AzureLogin implements Login {
  readonly #options: AzureLoginOptions;

  constructor(options: AzureLoginOptions) {
    this.#options = options;
  }

  async fingerprint(): Promise<string> {
    const { principal } = this.#options;
    if (principal.kind !== 'secret') return principal.kind;
    return createHash('sha256')
      .update(await principal.secret())
      .digest('hex');
  }

  async obtain(signal: AbortSignal): Promise<ObtainedCredential> {
    const { id, exchange } = this.#options;
    let accessToken: string | undefined;
    try {
      const credential = await this.#credential();
      const asked = credential.getToken(scope, { abortSignal: signal });
      accessToken = (await untilAborted(asked, signal))?.token;
    } catch (error) {
      throw cloudFailure(error, `credential ${id}: Azure`);
    }
    if (accessToken === undefined) {
      throw new UpstreamError('malformed', `credential ${id}: Azure answered without a token`);
    }
    return exchangeForRefreshToken(accessToken, exchange, signal);
  }

  async #credential(): Promise<TokenCredential> {
    const { principal, endpoint } = this.#options;
    const identity = await import('@azure/identity');
    const shared = {
      retryOptions: { maxRetries: 1 },
      // An address of one's own is none that Microsoft's directory of clouds would know.
      ...(endpoint === undefined ? {} : { authorityHost: endpoint, disableInstanceDiscovery: true }),
    };
    switch (principal.kind) {
      case 'secret': {
        const { tenantId, clientId, secret } = principal;
        return new identity.ClientSecretCredential(tenantId, clientId, await secret(), shared);
      }
      case 'workload': {
        const { tenantId, clientId, tokenFile: tokenFilePath } = principal;
        return new identity.WorkloadIdentityCredential({ tenantId, clientId, tokenFilePath, ...shared });
      }
      case 'managed':
        return new identity.ManagedIdentityCredential({
          retryOptions: { maxRetries: 1 },
          ...(principal.clientId === undefined ? {} : { clientId: principal.clientId }),
        });
    }
  }
}
