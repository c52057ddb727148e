import { describe, expect, test } from 'vitest';
import type { EdgeConfig } from './edge-schema.ts';
import { formatEdgeConfig } from './format-edge-config.ts';
import { loadEdgeConfig } from './load-edge-config.ts';
import { memoryConfigIo, type MemoryConfig } from './memory-config-io.ts';
import { ConfigError } from './problems.ts';

type Sources = MemoryConfig & { readonly yaml?: string };

function load({ yaml = '', env = {}, files = {} }: Sources): EdgeConfig {
  const io = memoryConfigIo({ env, files: { ...files, '/work/edge.yaml': `${yaml}\n` } });
  return loadEdgeConfig({ configFile: 'edge.yaml', flags: {} }, io);
}

function problems(sources: Sources): readonly string[] {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

const environment = {
  HTTPS_PROXY: 'http://env:p%40ss@proxy.env:3128',
  http_proxy: 'plain.env:8080',
  NO_PROXY: '.internal, 10.0.0.0/8 what/is/that',
};

describe('the variables that all programs share', () => {
  test('are used where nothing else is set', () => {
    const { egress } = load({ env: environment });
    expect(egress).toMatchObject({
      proxy: { origin: 'http://proxy.env:3128', signIn: { username: 'env' } },
      httpProxy: { origin: 'http://plain.env:8080' },
      noProxy: ['.internal', '10.0.0.0/8'],
    });
    const { proxy } = egress;
    expect(proxy === 'direct' ? undefined : proxy?.signIn?.password.reveal()).toBe('p@ss');
  });

  test('in lower case go before those in upper case, and count only for their scheme', () => {
    const { egress } = load({ env: { https_proxy: 'http://a', HTTPS_PROXY: 'http://b' } });
    expect(egress).toMatchObject({ proxy: { origin: 'http://a' }, httpProxy: 'direct' });
  });

  test.each(['direct', 'http://proxy.file:1'])('give way to a proxy in the file: %s', (proxy) => {
    const { egress } = load({ yaml: `egress: {proxy: "${proxy}"}`, env: environment });
    expect(egress).toMatchObject({ proxy: proxy === 'direct' ? proxy : { origin: proxy } });
    expect(egress.httpProxy).toBeUndefined();
    expect(egress.noProxy).toEqual(['.internal', '10.0.0.0/8']);
  });

  test('give way to WHERRY_EGRESS_PROXY', () => {
    const { egress } = load({ env: { ...environment, WHERRY_EGRESS_PROXY: 'https://ours:1' } });
    expect(egress).toMatchObject({ proxy: { origin: 'https://ours:1' } });
  });

  test('that are wrong are named, without their text', () => {
    const [problem, ...more] = problems({ env: { https_proxy: 'socks5://edge:hush@proxy' } });
    expect(more).toEqual([]);
    expect(problem).toBe(
      'https_proxy: egress.proxy: must begin with http:// or https://: other kinds of proxy are not spoken',
    );
  });
});

describe('a sign-in', () => {
  test.each([
    ['a file', 'passwordFile: secret'],
    ['a variable', 'passwordEnv: SECRET'],
    ['the configuration', 'password: hush'],
  ])('takes its password from %s, and is not printed', (_, form) => {
    const config = load({
      yaml: `egress: {proxy: proxy:3128, signIn: {username: edge, ${form}}}`,
      env: { SECRET: 'hush' },
      files: { '/work/secret': 'hush\n' },
    });
    const { proxy } = config.egress;
    expect(proxy === 'direct' ? undefined : proxy?.signIn?.password.reveal()).toBe('hush');
    expect(formatEdgeConfig(config)).toMatch(/proxy: http:\/\/edge:\*+@proxy:3128/);
    expect(formatEdgeConfig(config)).not.toContain('hush');
  });

  test('may differ for one upstream', () => {
    const yaml = `
egress: {proxy: http://general:1}
upstreams:
  - {name: ghcr.io, proxy: https://own:2, proxySignIn: {username: me, password: hush}}
  - {name: quay.io, proxy: direct}
  - {name: docker.io}`;
    const [first, second, third] = load({ yaml }).upstreams;
    expect(first.proxy).toMatchObject({ origin: 'https://own:2', signIn: { username: 'me' } });
    expect(second?.proxy).toBe('direct');
    expect(third?.proxy).toBeUndefined();
  });
});

test.each([
  ['egress: {proxy: "ftp://proxy"}', /egress\.proxy: must begin with http:\/\/ or https:\/\//],
  ['egress: {proxy: "http://proxy/path"}', /egress\.proxy: must not contain a path/],
  ['egress: {proxy: "http://:hush@proxy"}', /egress\.proxy: needs a user name/],
  ['egress: {proxy: "http://a%zz@proxy"}', /egress\.proxy: has a broken %/],
  ['egress: {proxy: "a b"}', /egress\.proxy: expected an address such as/],
  ['egress: {noProxy: ["10.0.0.0/99"]}', /egress\.noProxy\[0\]: expected a domain, HOST:PORT/],
  ['egress: {proxy: proxy, signIn: {username: me}}', /egress\.signIn: needs one of password, passwordFile/],
  ['egress: {proxy: proxy, signIn: {username: "a:b", password: x}}', /egress\.signIn\.username: expected/],
  ['egress: {signIn: {username: me, password: x}}', /egress\.signIn: has no proxy to sign in at/],
  [
    'egress: {proxy: proxy, signIn: {username: me, passwordFile: nowhere}}',
    /egress\.signIn\.passwordFile: cannot read nowhere: no such file/,
  ],
  [
    'upstreams: [{name: a.b, proxy: direct, proxySignIn: {username: me, password: x}}]',
    /upstreams\[0\]\.proxySignIn: has no proxy to sign in at/,
  ],
  [
    'upstreams: [{name: a.b, url: "http://localhost:1", proxy: proxy, access: open, credentials: [{username: a, password: b}]}]',
    /upstreams\[0\]\.url: would send the credential unencrypted/,
  ],
])('%s is refused', (yaml, message) => {
  const found = problems({ yaml });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(message);
  expect(found[0]).not.toContain('hush');
});
