import type { Credential } from '../credential.ts';

/** A credential for the registry that was got with another one, and for a time only. */
export interface ObtainedCredential {
  readonly credential: Credential;
  /** Since the epoch, by the issuer's word. */
  readonly expiresAtMs: number;
}

/** A way to get such credentials. */
export interface Login {
  /**
   * Changes when what is signed in with changes, and tells nothing of it. Cheap: asked for each request. Fails with
   * UpstreamError `credential`.
   */
  fingerprint(): Promise<string>;
  /** Fails with UpstreamError: `credential` where it was turned away, `unavailable` or `throttled` where it was not judged. */
  obtain(signal: AbortSignal): Promise<ObtainedCredential>;
}
