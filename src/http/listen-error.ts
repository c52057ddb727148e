const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there: stop it, or configure another address or port',
  EACCES: 'not permitted: ports below 1024 need root or CAP_NET_BIND_SERVICE; or configure another port',
  EADDRNOTAVAIL: 'this machine has no such address: configure one of its own, or 0.0.0.0 for all',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the key does not belong to the certificate: configure the two that do',
  ENOTFOUND: 'the host name cannot be resolved: configure an IP address of this machine',
};

/** A listener could not be opened; the message names it, its address, and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'LISTEN_FAILED';

  constructor(listener: string, address: string, cause: NodeJS.ErrnoException) {
    const code = cause.code ?? 'unknown error';
    const remedy = remedies[code] ?? cause.message;
    super(`cannot open the ${listener} listener on ${address}: ${remedy} (${code})`, { cause });
  }
}
