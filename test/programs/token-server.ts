import assert from 'node:assert/strict';
import { createPrivateKey, randomUUID, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { IssuedCertificate } from './certificate-authority.ts';

export interface TokenServerOptions {
  /** Signs the tokens, by ES256; its chain goes along as `x5c`. */
  readonly certificate: IssuedCertificate;
  readonly service: string;
  readonly username: string;
  readonly password: string;
  /** At least 60, which clients take for the least there is. */
  readonly lifetimeSeconds: number;
}

export interface GrantedToken {
  /** Empty for anonymous callers. */
  readonly subject: string;
  readonly scopes: readonly string[];
}

/**
 * A token server as distribution's token specification describes it, by GET. The one account gets what it asks for,
 * anonymous callers get tokens without rights, and wrong credentials get 401.
 */
export class TokenServer {
  readonly realm: string;
  readonly issuer = 'wherry tests';
  readonly service: string;
  /** Every token given out, oldest first. */
  readonly granted: GrantedToken[] = [];
  readonly #server: Server;

  private constructor(server: Server, options: TokenServerOptions, signer: TokenSigner) {
    this.#server = server;
    this.service = options.service;
    const address = server.address();
    assert(address !== null && typeof address === 'object');
    this.realm = `http://127.0.0.1:${address.port}/token`;
    server.on('request', (request, response) => this.#answer(request, response, { options, signer }));
  }

  static async start(options: TokenServerOptions): Promise<TokenServer> {
    const signer = await TokenSigner.load(options.certificate);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TokenServer(server, options, signer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    { options, signer }: { options: TokenServerOptions; signer: TokenSigner },
  ): void {
    const { searchParams } = new URL(request.url ?? '/', this.realm);
    const subject = callerOf(request, options);
    if (request.method !== 'GET' || subject === undefined) {
      response.writeHead(request.method === 'GET' ? 401 : 405).end();
      return;
    }
    const scopes = searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
    this.granted.push({ subject, scopes });
    const issuedSeconds = Math.floor(Date.now() / 1_000);
    const token = signer.sign({
      iss: this.issuer,
      aud: options.service,
      sub: subject,
      jti: randomUUID(),
      iat: issuedSeconds,
      // Set back, as token servers do for registries whose clocks are late.
      nbf: issuedSeconds - 10,
      exp: issuedSeconds + options.lifetimeSeconds,
      access: subject === '' ? [] : scopes.map(accessOf),
    });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ token, access_token: token, expires_in: options.lifetimeSeconds }));
  }
}

/** JSON Web Tokens in the form that docker-registry 2.8 checks: the chain in the header, the leaf's key signs. */
class TokenSigner {
  readonly #key: KeyObject;
  readonly #x5c: readonly string[];

  private constructor(key: KeyObject, x5c: readonly string[]) {
    this.#key = key;
    this.#x5c = x5c;
  }

  static async load(files: IssuedCertificate): Promise<TokenSigner> {
    const certificate = new X509Certificate(await readFile(files.certificateFile));
    const key = createPrivateKey(await readFile(files.keyFile));
    return new TokenSigner(key, [certificate.raw.toString('base64')]);
  }

  sign(claims: object): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ typ: 'JWT', alg: 'ES256', x5c: this.#x5c })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }
}

/** The account's name, '' without credentials, `undefined` with wrong ones. */
function callerOf(request: IncomingMessage, options: TokenServerOptions): string | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined) return '';
  const expected = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`;
  return authorization === expected ? options.username : undefined;
}

/** `repository:name:pull,push` as an entry of the token's `access` claim. */
function accessOf(scope: string): { type: string; name: string; actions: string[] } {
  const first = scope.indexOf(':');
  const last = scope.lastIndexOf(':');
  return {
    type: scope.slice(0, first),
    name: scope.slice(first + 1, last),
    actions: scope.slice(last + 1).split(','),
  };
}
