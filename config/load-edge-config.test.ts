import { describe, expect, test } from 'vitest';
import type { EdgeConfig } from './edge-schema.ts';
import { formatEdgeConfig } from './format-edge-config.ts';
import { loadEdgeConfig } from './load-edge-config.ts';
import { memoryConfigIo, type MemoryConfig } from './memory-config-io.ts';
import { ConfigError } from './problems.ts';
import type { EdgeFlags } from './sources.ts';

interface Sources extends MemoryConfig {
  readonly yaml?: string;
  readonly flags?: EdgeFlags;
}

function load({ yaml, flags = {}, env = {}, files = {} }: Sources = {}): EdgeConfig {
  const io = memoryConfigIo({
    env,
    files: { ...files, ...(yaml === undefined ? {} : { '/work/edge.yaml': yaml }) },
  });
  return loadEdgeConfig({ configFile: yaml === undefined ? undefined : 'edge.yaml', flags }, io);
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

describe('without any source', () => {
  test('mirrors the well-known registries, docker.io first', () => {
    const { upstreams } = load();
    expect(upstreams[0]).toMatchObject({
      name: 'docker.io',
      url: 'https://registry-1.docker.io',
      hosts: ['index.docker.io', 'registry-1.docker.io'],
      access: 'public',
      credentials: [],
    });
    expect(upstreams.map(({ name }) => name)).toContain('ghcr.io');
  });

  test('has the defaults, in the units that the names say', () => {
    expect(load()).toMatchObject({
      listen: { host: '127.0.0.1', port: 5000 },
      adminListen: { host: '127.0.0.1', port: 5002 },
      data: '/work/data',
      cache: { maxBytes: 'auto', checkpointIntervalMs: 2000, reserve: { unit: 'bytes', bytes: 1024 ** 3 } },
      limits: { keepAliveMs: 65_000, maxHeaderBytes: 16_384 },
      log: { level: 'info', destination: 'stderr', access: 'stdout' },
    });
  });
});

describe('of several sources', () => {
  const yaml =
    'listen: 1.1.1.1:1\ndata: /file\ncache: {maxBytes: 1GB, maxFills: 2}\nupstreams: [{name: quay.io}]\n';

  test('the file wins over the defaults', () => {
    expect(load({ yaml })).toMatchObject({
      data: '/file',
      cache: { maxBytes: 1e9, maxFills: 2, maxQueuedFills: 1024 },
    });
  });

  test('the environment wins over the file, and an empty variable does not count', () => {
    const env = {
      WHERRY_DATA: '/env',
      WHERRY_LISTEN: '',
      WHERRY_MAX_BYTES: '2GB',
      WHERRY_UPSTREAMS: 'ghcr.io, a.b=http://c',
    };
    const config = load({ yaml, env });
    expect(config).toMatchObject({
      data: '/env',
      listen: { host: '1.1.1.1' },
      cache: { maxBytes: 2e9, maxFills: 2 },
    });
    expect(config.upstreams.map(({ name, url }) => [name, url])).toEqual([
      ['ghcr.io', 'https://ghcr.io'],
      ['a.b', 'http://c'],
    ]);
  });

  test('flags win over both', () => {
    const env = { WHERRY_DATA: '/env', WHERRY_UPSTREAMS: 'ghcr.io' };
    const config = load({ yaml, env, flags: { data: 'flag', maxBytes: '3GB', upstream: ['docker.io'] } });
    expect(config).toMatchObject({ data: '/work/flag', cache: { maxBytes: 3e9 } });
    expect(config.upstreams.map(({ name }) => name)).toEqual(['docker.io']);
  });

  test('WHERRY_CONFIG names a file', () => {
    expect(load({ env: { WHERRY_CONFIG: '/e.yaml' }, files: { '/e.yaml': 'site:\ndata: /x' } }).data).toBe(
      '/x',
    );
  });
});

describe('credentials', () => {
  const upstream = (credential: string): string =>
    `upstreams: [{name: docker.io, access: public, credentials: [${credential}]}]`;
  const forms: readonly (readonly [string, string, MemoryConfig])[] = [
    ['in the file', '{username: me, password: hush}', {}],
    ['in a file of its own', '{username: me, passwordFile: pw}', { files: { '/work/pw': 'hush\n' } }],
    ['in a variable', '{username: me, passwordEnv: PW}', { env: { PW: 'hush' } }],
  ];

  test.each(forms)('%s are read', (_, credential, sources) => {
    const [found] = load({ yaml: upstream(credential), ...sources }).upstreams[0].credentials;
    expect(found).toMatchObject({ kind: 'password', username: 'me' });
    expect(found?.kind === 'password' ? found.password.reveal() : '').toBe('hush');
  });

  test('in a Docker configuration stay there', () => {
    const text = '{"auths": {"https://index.docker.io/v1/": {"auth": "bWU6aHVzaA=="}}}';
    const files = { '/work/c.json': text };
    const [found] = load({ yaml: upstream('{dockerConfig: c.json}'), files }).upstreams[0].credentials;
    expect(found).toEqual({
      kind: 'docker-config',
      dockerConfig: '/work/c.json',
      registryNames: ['docker.io', 'index.docker.io', 'registry-1.docker.io'],
    });
  });

  test('from the environment win over those of the file', () => {
    const env = { WHERRY_UPSTREAM_DOCKER_IO_PASSWORD: 'hush' };
    const [found] = load({ yaml: upstream('{username: me, passwordFile: /gone}'), env }).upstreams[0]
      .credentials;
    expect(found?.kind === 'password' ? found.password.reveal() : '').toBe('hush');
  });

  test('from the environment reach the well-known upstreams', () => {
    const env = {
      WHERRY_UPSTREAM_GHCR_IO_USERNAME: 'me',
      WHERRY_UPSTREAM_GHCR_IO_PASSWORD_FILE: '/pw',
      WHERRY_UPSTREAM_GHCR_IO_ACCESS: 'open',
    };
    const ghcr = load({ env, files: { '/pw': 'hush' } }).upstreams.find(({ name }) => name === 'ghcr.io');
    expect(ghcr).toMatchObject({ access: 'open', credentials: [{ username: 'me' }] });
  });

  test.each([
    ['nothing secret', '{username: me}', /credentials\[0\]: needs one of password/],
    ['two forms', '{username: me, password: a, passwordEnv: B}', /more than one of password, passwordEnv/],
    ['no user', '{password: hush}', /username: is required with a password/],
    [
      'a file that is not there',
      '{username: me, passwordFile: /gone}',
      /passwordFile: cannot read \/gone: no such file/,
    ],
    ['an empty file', '{username: me, passwordFile: /empty}', /\/empty is empty/],
    ['a variable that is not set', '{username: me, passwordEnv: GONE}', /GONE is not set/],
  ])('with %s are refused', (_, credential, expected) => {
    const found = problems({ yaml: upstream(credential), files: { '/empty': '\n' } });
    expect(found).toEqual([expect.stringMatching(expected)]);
    expect(found.join('')).not.toContain('hush');
  });
});

test('every problem is reported at once, with its origin and key', () => {
  const yaml = `listen: 5000
upstreams:
  - name: docker.io
    acces: open
  - name: docker.io
    url: https://me:hush@docker.io
    timeouts: {connect: 5}
cache:
  lowWatermark: 0.99
`;
  const found = problems({
    yaml,
    env: { WHERRY_CACHE_MAX_FILLS: 'many', WHERRY_UPSTREAM_DOCKERIO_ACCESS: 'open' },
    flags: { maxBytes: '10G', hub: 'http://hub' },
  });
  const expected = [
    'edge.yaml:1: listen: expected HOST:PORT',
    'edge.yaml:4: upstreams[0].acces: unknown key; did you mean "access"?',
    'edge.yaml:5: upstreams[1].name: "docker.io" already means upstreams[0]',
    'edge.yaml:6: upstreams[1].url: must not contain a user name',
    'edge.yaml:7: upstreams[1].timeouts.connect: expected a duration',
    'WHERRY_CACHE_MAX_FILLS: cache.maxFills: expected a whole number',
    'WHERRY_UPSTREAM_DOCKERIO_ACCESS: no upstream has this name; did you mean WHERRY_UPSTREAM_DOCKER_IO_ACCESS?',
    '--max-bytes: cache.maxBytes: expected a size',
    '--hub: hub: this version has no hub yet',
  ];
  for (const line of expected) expect(found).toContainEqual(expect.stringContaining(line));
  expect(found).toHaveLength(expected.length);
});

const refused: readonly (readonly [string, Sources, RegExp])[] = [
  [
    'watermarks the wrong way round',
    { yaml: 'cache: {lowWatermark: 0.96}' },
    /cache\.lowWatermark: must be below/,
  ],
  ['a short admin token', { yaml: 'adminToken: secret' }, /adminToken: is shorter than 16 characters/],
  [
    'two forms of the admin token',
    { yaml: 'adminToken: 0123456789abcdef\nadminTokenEnv: TOKEN', env: { TOKEN: '0123456789abcdef' } },
    /adminToken: is one of several forms/,
  ],
  ['an admin token that is not there', { yaml: 'adminTokenEnv: TOKEN' }, /adminTokenEnv: .*TOKEN is not set/],
  ['one address twice', { yaml: 'adminListen: 127.0.0.1:5000' }, /adminListen: is the address of listen/],
  [
    'one address twice, hidden',
    { yaml: 'listen: 0.0.0.0:1\nadminListen: 127.0.0.1:1' },
    /adminListen: is the address/,
  ],
  [
    'hosts that overlap',
    { yaml: 'upstreams: [{name: a.b, hosts: [c.d]}, {name: c.d}]' },
    /upstreams\[1\]\.name: "c\.d"/,
  ],
  [
    'a host that is implied',
    { yaml: 'upstreams: [{name: docker.io}, {name: index.docker.io}]' },
    /"index\.docker\.io" already/,
  ],
  [
    'an alias without address',
    { flags: { upstream: ['corp'] } },
    /--upstream: upstreams\[0\]\.url: is required/,
  ],
  [
    'a credential without access',
    { env: envCredential() },
    /upstreams\[0\]\.access: is required where there is a cred/,
  ],
  ['access by token', { yaml: 'upstreams: [{name: a.b, access: token}]' }, /token needs a hub/],
  [
    'a credential in the clear',
    {
      env: {
        ...envCredential(),
        WHERRY_UPSTREAM_DOCKER_IO_ACCESS: 'open',
        WHERRY_UPSTREAMS: 'docker.io=http://a.b',
      },
    },
    /url: would send the credential unencrypted/,
  ],
  [
    'a quota above the cache',
    { yaml: 'cache: {maxBytes: 1GB}\nupstreams: [{name: a.b, quota: 2GB}]' },
    /upstreams\[0\]\.quota: must not be/,
  ],
  [
    'half a client certificate',
    { yaml: 'upstreams: [{name: a.b, tls: {cert: /c}}]', files: { '/c': '-----BEGIN ' } },
    /tls\.key: is required/,
  ],
  [
    'an authority that nobody asks',
    { yaml: 'upstreams: [{name: a.b, tls: {ca: /c, insecure: true}}]', files: { '/c': '-----BEGIN ' } },
    /tls\.insecure: accepts every/,
  ],
  [
    'a certificate that is none',
    { yaml: 'upstreams: [{name: a.b, tls: {ca: /c}}]', files: { '/c': 'x' } },
    /tls\.ca: \/c is not a PEM file/,
  ],
  [
    'a pause that is too long',
    { yaml: 'upstreams: [{name: a.b, breaker: {pause: 2m}}]' },
    /breaker\.maxPause/,
  ],
  ['no pattern', { yaml: 'freshness: [{tags: []}]' }, /freshness\[0\]\.tags: expected at least one/],
  ['a file that is no YAML', { yaml: 'a: [' }, /^edge\.yaml:1: not valid YAML/],
  ['a key twice', { yaml: 'data: a\ndata: b' }, /^edge\.yaml:2: not valid YAML/],
  ['a file that is a list', { yaml: '- a' }, /expected keys and values/],
  [
    'a file that is not there',
    { env: { WHERRY_CONFIG: '/gone' } },
    /^\/gone: cannot read the configuration file: no such/,
  ],
  ['a list in place of a section', { yaml: 'cache: [1]' }, /cache: expected a group of keys, got a list/],
  ['a section in place of a list', { yaml: 'upstreams: {a: 1}' }, /upstreams: expected a list, got a group/],
  [
    'a token listener',
    { flags: { tokenListen: '127.0.0.1:5001' } },
    /--token-listen: tokenListen: the token listener needs a hub/,
  ],
  ['peers', { flags: { peer: ['http://a'] } }, /--peer: peers: /],
  ['a site', { flags: { site: 'a' } }, /--site: site: /],
  ['a join token', { flags: { joinTokenFile: '/t' } }, /--join-token-file: joinTokenFile: /],
];

function envCredential(): Record<string, string> {
  return { WHERRY_UPSTREAM_DOCKER_IO_USERNAME: 'me', WHERRY_UPSTREAM_DOCKER_IO_PASSWORD: 'hush' };
}

test.each(refused)('refuses %s', (_, sources, expected) => {
  expect(problems(sources)).toEqual([expect.stringMatching(expected)]);
});

test('an admin listener for other machines has its token from a file, a variable or the file itself', () => {
  const open = 'adminListen: 0.0.0.0:5002\n';
  const token = '0123456789abcdef';
  for (const sources of [
    { yaml: `${open}adminToken: ${token}` },
    { yaml: `${open}adminTokenEnv: TOKEN`, env: { TOKEN: token } },
    { yaml: open, env: { WHERRY_ADMIN_TOKEN: token } },
  ]) {
    expect(load(sources).adminToken?.reveal()).toBe(token);
  }
});

test('a loopback upstream may get a credential in the clear', () => {
  const env = {
    ...envCredential(),
    WHERRY_UPSTREAM_DOCKER_IO_ACCESS: 'open',
    WHERRY_UPSTREAMS: 'docker.io=http://127.0.0.1:1',
  };
  expect(problems({ env })).toEqual([]);
});

test('freshness is this upstream’s rules, the general ones, and one for every tag', () => {
  const yaml =
    'freshness: [{tags: b, fresh: 2s}]\nupstreams: [{name: a.b, freshness: [{tags: [a], fresh: 1s}]}]';
  const rules = load({ yaml }).upstreams[0].freshness;
  expect(rules.map(({ tags, freshMs }) => [tags, freshMs])).toEqual([
    [['a'], 1000],
    [['b'], 2000],
    [['*'], 60_000],
  ]);
});

test('what check-config prints reads back as the same configuration, and holds no secret', () => {
  const yaml = `upstreams:
  - {name: docker.io, access: open, quota: 1GB, credentials: [{username: me, password: hush}]}
cache: {maxBytes: 3GiB, reserve: 1.5%}
`;
  const config = load({ yaml });
  const printed = formatEdgeConfig(config);
  expect(printed).not.toContain('hush');
  expect(formatEdgeConfig(load({ yaml: printed }))).toBe(printed);
});
