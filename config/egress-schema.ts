import type { z } from 'zod';
import { parseNoProxyRule } from '../src/base/no-proxy.ts';
import { path, secret, text } from './field-kinds.ts';
import { field, list, section } from './field.ts';
import { Secret, secretMask } from './secret.ts';

/** Where requests to an upstream go first. `origin` has no slash at the end. */
export type ProxySetting =
  | 'direct'
  | { readonly origin: string; readonly signIn?: { readonly username: string; readonly password: Secret } };

/** `http://proxy.example.com:3128`, also with `user:password@`, as variables for proxies have it; or `direct`. */
export function proxySetting(doc: string) {
  return field<ProxySetting>({
    doc,
    expected: 'an address such as http://proxy.example.com:3128, or direct',
    secret: true,
    parse: parseProxySetting,
    format: (setting) => {
      if (setting === 'direct') return setting;
      const { origin, signIn } = setting;
      if (signIn === undefined) return origin;
      return origin.replace('://', `://${encodeURIComponent(signIn.username)}:${secretMask}@`);
    },
  });
}

function parseProxySetting(text: string, reject: (why: string) => undefined): ProxySetting | undefined {
  if (text === 'direct') return text;
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null) return undefined;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return reject('must begin with http:// or https://: other kinds of proxy are not spoken');
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return reject('must not contain a path');
  const [username, password] = [unescaped(url.username), unescaped(url.password)];
  if (username === undefined || password === undefined)
    return reject('has a broken % in its user or password');
  if (username === '' && password === '') return { origin: url.origin };
  // RFC 7617, section 2: the first colon ends the user.
  if (username === '' || username.includes(':')) return reject('needs a user name without a colon');
  return { origin: url.origin, signIn: { username, password: new Secret(password) } };
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export const proxySignInSchema = section(
  'The sign-in at the proxy (Basic): a user name and one form of password. In place of `user:password@` in the address.',
  {
    username: field<string>({
      doc: 'User name.',
      expected: 'a user name without a colon',
      parse: (value) => (/^[^:\0]+$/.test(value) ? value : undefined),
      format: (value) => value,
    }),
    password: secret('Password.').optional(),
    passwordFile: path('File that holds the password; one line end after it is dropped.').optional(),
    passwordEnv: text(
      'Environment variable that holds the password.',
      'the name of an environment variable',
    ).optional(),
  },
);

export const egressSchema = section(
  'The way to the upstreams. What is not set here is taken from the variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in upper or lower case. Loopback addresses are always connected to directly.',
  {
    proxy: proxySetting(
      'The forward proxy for all upstreams: addresses with https are tunnelled by CONNECT. `direct` means none, whatever the variables say.',
    ).optional(),
    httpProxy: proxySetting('Another one for http:// addresses. Default: as `proxy`.').optional(),
    noProxy: list(
      'What is connected to directly all the same: a domain and all below it, an address, a network, each also with a port, or `*`. Names are not resolved for this.',
      field<string>({
        doc: 'An exception.',
        expected: 'a domain, HOST:PORT, an address, a network such as 10.0.0.0/8, or *',
        parse: (entry) => (parseNoProxyRule(entry) === undefined ? undefined : entry),
        format: (entry) => entry,
      }),
    ).prefault([]),
    signIn: proxySignInSchema.optional(),
  },
);

export type WrittenEgress = z.output<typeof egressSchema>;
export type WrittenProxySignIn = z.output<typeof proxySignInSchema>;
