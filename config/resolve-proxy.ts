import type { ConfigIo } from './config-io.ts';
import type { ProxySetting, WrittenEgress, WrittenProxySignIn } from './egress-schema.ts';
import type { KeyPath, Report } from './problems.ts';
import { resolveCredential } from './resolve-credential.ts';

interface ProxyContext {
  readonly io: ConfigIo;
  /** Where the sign-in stands. */
  readonly path: KeyPath;
  readonly report: Report;
}

/** The general proxies with their sign-in, which takes the place of none in their addresses. */
export function resolveEgress(
  written: WrittenEgress,
  { io, report }: Omit<ProxyContext, 'path'>,
): WrittenEgress {
  const { signIn, noProxy, ...proxies } = written;
  const context = { io, report, path: ['egress', 'signIn'] };
  const known = signIn === undefined ? undefined : readSignIn(signIn, context);
  const resolved = Object.entries(proxies).map(
    ([key, proxy]) => [key, proxy === undefined ? undefined : withSignIn(proxy, known)] as const,
  );
  if (signIn !== undefined && !takesSignIn(Object.values(proxies))) {
    report(context.path, unusedSignIn);
  }
  return { ...Object.fromEntries(resolved), noProxy };
}

/** The proxy of one upstream with its sign-in. */
export function resolveUpstreamProxy(
  {
    proxy,
    proxySignIn,
  }: { readonly proxy?: ProxySetting | undefined; readonly proxySignIn?: WrittenProxySignIn | undefined },
  context: ProxyContext,
): { readonly proxy?: ProxySetting } {
  const known = proxySignIn === undefined ? undefined : readSignIn(proxySignIn, context);
  if (proxySignIn !== undefined && !takesSignIn([proxy])) context.report(context.path, unusedSignIn);
  return proxy === undefined ? {} : { proxy: withSignIn(proxy, known) };
}

const unusedSignIn =
  'has no proxy to sign in at: none is set beside it, or its address has a sign-in already';

type SignIn = Exclude<ProxySetting, 'direct'>['signIn'];

function readSignIn(written: WrittenProxySignIn, context: ProxyContext): SignIn {
  const forms = ['password', 'passwordFile', 'passwordEnv'] as const;
  if (forms.every((form) => written[form] === undefined)) {
    context.report(context.path, `needs one of ${forms.join(', ')}`);
    return undefined;
  }
  const credential = resolveCredential(written, { ...context, registryNames: [] });
  if (credential?.kind !== 'password') return undefined;
  return { username: credential.username, password: credential.password };
}

function takesSignIn(proxies: readonly (ProxySetting | undefined)[]): boolean {
  return proxies.some((proxy) => proxy !== undefined && proxy !== 'direct' && proxy.signIn === undefined);
}

function withSignIn(proxy: ProxySetting, signIn: SignIn): ProxySetting {
  if (proxy === 'direct' || proxy.signIn !== undefined || signIn === undefined) return proxy;
  return { ...proxy, signIn };
}
