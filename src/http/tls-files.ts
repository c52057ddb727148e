import { createSecureContext, type SecureContextOptions, type TlsOptions, type TLSSocket } from 'node:tls';

/** What a listener needs for TLS; PEM texts. */
export interface TlsFiles {
  /** The certificate, followed by the intermediate ones. */
  readonly cert: string;
  readonly key: string;
  readonly clients?: ClientCertificates;
}

export interface ClientCertificates {
  /** PEM: the authorities whose certificates are accepted. */
  readonly ca: string;
  /** `request` also serves clients that show none; one that none of the authorities signed is turned away by both. */
  readonly mode: 'require' | 'request';
}

/** Where a listener's certificate comes from. */
export interface TlsSource {
  /** Fails with what the file system says. */
  read(): Promise<TlsFiles>;
  /** Changes when the files do. Fails like `read`. */
  stamp(): Promise<string>;
}

/** The part of the settings that can change while a listener runs. Older versions than TLS 1.2 are not spoken (RFC 8996). */
export function secureContextOptions({ cert, key, clients }: TlsFiles): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2', ...(clients === undefined ? {} : { ca: clients.ca }) };
}

/** The settings of a new listener. */
export function tlsServerOptions(files: TlsFiles): TlsOptions {
  const { clients } = files;
  return {
    ...secureContextOptions(files),
    requestCert: clients !== undefined,
    rejectUnauthorized: clients?.mode === 'require',
  };
}

/** Throws where no listener could use them: no PEM, or a key that belongs to another certificate. */
export function checkTlsFiles(files: TlsFiles): void {
  createSecureContext(secureContextOptions(files));
}

/** Whether the client showed a certificate that does not count; node lets such in where none is required. */
export function showedBadCertificate(socket: TLSSocket): boolean {
  return !socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0;
}
