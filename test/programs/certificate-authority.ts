import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from './run-command.ts';

export interface IssuedCertificate {
  readonly certificateFile: string;
  readonly keyFile: string;
}

const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';

/** A private CA of a suite, made with openssl: P-256 keys, valid for two days. */
export class CertificateAuthority {
  readonly certificateFile: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.certificateFile = path.join(folder, 'ca.crt');
  }

  static async create(folder: string): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(folder);
    const marks = '-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign';
    await authority.#openssl(
      `req -x509 ${newKey} -days 2 -subj /CN=wherry-test-ca -keyout ca.key -out ca.crt ${marks}`,
    );
    return authority;
  }

  /** A certificate for a server on the loopback address. */
  async issue(name: string): Promise<IssuedCertificate> {
    const extensions = 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n';
    await writeFile(path.join(this.#folder, `${name}.ext`), extensions);
    await this.#openssl(`req ${newKey} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`);
    await this.#openssl(
      `x509 -req -in ${name}.csr -days 2 -extfile ${name}.ext -out ${name}.crt -CA ca.crt -CAkey ca.key -CAcreateserial`,
    );
    return {
      certificateFile: path.join(this.#folder, `${name}.crt`),
      keyFile: path.join(this.#folder, `${name}.key`),
    };
  }

  async #openssl(line: string): Promise<void> {
    await runCommand('openssl', line.split(' '), { cwd: this.#folder });
  }
}
