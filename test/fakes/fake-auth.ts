import type { IncomingMessage } from 'node:http';

export type FakeAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly users: Readonly<Record<string, string>> }
  | FakeBearerAuth;

export interface FakeBearerAuth {
  readonly kind: 'bearer';
  readonly users?: Readonly<Record<string, string>>;
  readonly refreshTokens?: readonly string[];
  /** Repositories that anonymous callers get no rights to. */
  readonly privateRepositories?: readonly string[];
  /** Repositories that nobody gets rights to. */
  readonly closedRepositories?: readonly string[];
  /** In place of the registry's own token endpoint. */
  readonly realm?: string;
  readonly lifetimeSeconds?: number;
  /** Answers GET with 405, as pure OAuth2 endpoints do. */
  readonly postOnly?: boolean;
  /** Calls the token `access_token`, and nothing else. */
  readonly accessTokenOnly?: boolean;
  /** In place of `repository:<name>:pull`. */
  readonly scope?: string;
}

export interface TokenAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Grants and checks: what a registry's sign-in and its token endpoint do. Tokens are numbers, never guessed twice. */
export class FakeTokenDesk {
  readonly #tokens = new Map<string, { scope: string; user: string | undefined }>();
  #issued = 0;

  get issued(): number {
    return this.#issued;
  }

  revokeAll(): void {
    this.#tokens.clear();
  }

  /** Who may do it; the challenge to answer with, when nobody may. */
  check(
    auth: FakeAuth,
    request: { authorization: string | undefined; repository: string | undefined; origin: string },
  ): {
    allowed: boolean;
    challenge: string;
  } {
    const { authorization, repository, origin } = request;
    if (auth.kind === 'none') return { allowed: true, challenge: '' };
    if (auth.kind === 'basic') {
      return { allowed: basicUser(auth.users, authorization) !== undefined, challenge: 'Basic realm="fake"' };
    }
    const scope = auth.scope ?? (repository === undefined ? undefined : `repository:${repository}:pull`);
    const realm = auth.realm ?? `${origin}/token`;
    const challenge = `Bearer realm="${realm}",service="fake"${scope === undefined ? '' : `,scope="${scope}"`}`;
    const token = this.#tokens.get(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '');
    const covers = token !== undefined && (scope === undefined || token.scope.split(' ').includes(scope));
    return { allowed: covers, challenge };
  }

  answer(auth: FakeAuth, request: IncomingMessage, body: string): TokenAnswer {
    if (auth.kind !== 'bearer') return { status: 404, body: {} };
    if (request.method === 'POST') return this.#grant(auth, new URLSearchParams(body));
    if (auth.postOnly === true) return { status: 405, body: {} };
    const { searchParams } = new URL(request.url ?? '', 'http://fake');
    const authorization = request.headers.authorization;
    const user = basicUser(auth.users ?? {}, authorization);
    if (authorization !== undefined && user === undefined) return { status: 401, body: { details: 'wrong' } };
    return this.#issue(auth, searchParams.getAll('scope').join(' '), user);
  }

  #grant(auth: FakeBearerAuth, form: URLSearchParams): TokenAnswer {
    const scope = form.get('scope') ?? '';
    const refresh = form.get('refresh_token') ?? '';
    const [username, password] = [form.get('username') ?? '', form.get('password') ?? ''];
    const isRefresh =
      form.get('grant_type') === 'refresh_token' && auth.refreshTokens?.includes(refresh) === true;
    const isPassword = form.get('grant_type') === 'password' && auth.users?.[username] === password;
    if (isRefresh || isPassword) return this.#issue(auth, scope, isRefresh ? 'refreshed' : username);
    return { status: 401, body: { error: 'invalid_grant' } };
  }

  #issue(auth: FakeBearerAuth, scope: string, user: string | undefined): TokenAnswer {
    this.#issued += 1;
    const token = `token-${this.#issued}-${user ?? 'anonymous'}`;
    const name = /^repository:([^:]+):/.exec(scope)?.[1] ?? '';
    const isPrivate = user === undefined && auth.privateRepositories?.includes(name) === true;
    const isClosed = auth.closedRepositories?.includes(name) === true;
    this.#tokens.set(token, { scope: isPrivate || isClosed ? '' : scope, user });
    const value = auth.accessTokenOnly === true ? { access_token: token } : { token, access_token: token };
    return { status: 200, body: { ...value, expires_in: auth.lifetimeSeconds ?? 300 } };
  }
}

function basicUser(
  users: Readonly<Record<string, string>>,
  authorization: string | undefined,
): string | undefined {
  const encoded = /^Basic (.+)$/.exec(authorization ?? '')?.[1];
  const [user = '', ...password] = Buffer.from(encoded ?? '', 'base64')
    .toString()
    .split(':');
  return users[user] !== undefined && users[user] === password.join(':') ? user : undefined;
}
