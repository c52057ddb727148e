import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateAuthority } from '../programs/certificate-authority.ts';
import { Edge } from '../programs/edge.ts';
import type { ImageContent } from '../programs/image-content.ts';
import { busyboxImage } from '../programs/images.ts';
import { Registry, type RegistryOptions } from '../programs/registry.ts';
import { Skopeo } from '../programs/skopeo.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { TempFolder } from '../programs/temp-folder.ts';
import { TokenServer } from '../programs/token-server.ts';
import { expectFetchedOnce, expectServed } from './expect-served.ts';

const kindsOfUpstream = ['basic', 'token', 'tls', 'both'] as const;

const programs = ['docker-registry', 'htpasswd', 'openssl', 'skopeo', 'busybox'] as const;

describeWithPrograms('an edge whose upstreams ask for more', { programs }, () => {
  const account = { username: 'ferryman', password: 'a secret of the upstream' };
  const wrongAccount = { ...account, password: 'not the secret' };
  const resources = new AsyncDisposableStack();
  const registries = new Map<string, Registry>();
  /** One for each registry: bytes that came from one upstream would not be fetched from another. */
  const images = {
    basic: labelled('basic'),
    token: labelled('token'),
    tls: labelled('tls'),
    both: labelled('both'),
  };
  let tokens: TokenServer;
  let edge: Edge;
  let skopeo: Skopeo;

  beforeAll(async () => {
    const folder = resources.use(await TempFolder.create('access'));
    const authority = await CertificateAuthority.create(await folder.folder('ca'));
    const tls = await authority.issue('registry');
    tokens = resources.use(
      await TokenServer.start({
        ...account,
        certificate: await authority.issue('token-signer'),
        service: 'registry.example',
        lifetimeSeconds: 300,
      }),
    );
    const htpasswd = { kind: 'htpasswd', ...account } as const;
    const { realm, service, issuer } = tokens;
    const token = {
      ...({ kind: 'token', realm, service, issuer } as const),
      rootCertificateFile: authority.certificateFile,
    };
    const demands = {
      basic: { auth: htpasswd },
      token: { auth: token },
      tls: { tls },
      both: { tls, auth: htpasswd },
    };
    for (const kind of kindsOfUpstream) {
      const options = { folder: folder.file(kind), ...demands[kind] };
      registries.set(kind, resources.use(await startSeeded(options, images[kind])));
    }
    const open = { access: 'open', credentials: [account] };
    // The token server has an origin of its own: no credential goes there unless the configuration names it.
    const known = { trustedRealms: [new URL(realm).origin] };
    const trusted = { tls: { ca: authority.certificateFile } };
    const upstream = (kind: string, settings: object, name = kind): object => ({
      name: `${name}.example`,
      url: registries.get(kind)!.url,
      allowPrivateTargets: true,
      ...settings,
    });
    const upstreams = [
      upstream('basic', open),
      upstream('token', { ...open, ...known }),
      upstream('tls', trusted),
      upstream('both', { ...open, ...trusted }),
      upstream('basic', { ...open, credentials: [wrongAccount] }, 'wrong-basic'),
      upstream('token', { ...open, ...known, credentials: [wrongAccount] }, 'wrong-token'),
      upstream('token', open, 'unknown-realm'),
      upstream('tls', {}, 'untrusted-tls'),
    ];
    edge = resources.use(await Edge.start({ folder: folder.file('edge'), config: { upstreams } }));
    skopeo = await Skopeo.create(await folder.folder('skopeo'));
  });

  afterAll(() => resources.disposeAsync());

  const kinds = [
    { kind: 'basic', what: 'a password' },
    { kind: 'token', what: 'a token' },
    { kind: 'tls', what: 'trust in a private CA' },
    { kind: 'both', what: 'trust in a private CA and a password' },
  ] as const;

  test.each(kinds)('serves what needs $what, byte for byte, fetched once', async ({ kind }) => {
    await expectServed(`${edge.url}/v2/${kind}.example/team/app`, '1', images[kind]);
    const manifest = await skopeo.inspectRaw(`${edge.host}/${kind}.example/team/app:1`);
    expect(manifest).toBe(images[kind].manifest.bytes.toString('utf8'));
    const layers = images[kind].layers.slice(1);
    expectFetchedOnce(registries.get(kind)!, { ...images[kind], layers });
  });

  test.each(['wrong-basic', 'wrong-token', 'unknown-realm', 'untrusted-tls'])(
    'neither serves nor challenges where %s stands between',
    async (name) => {
      const response = await fetch(`${edge.url}/v2/${name}.example/team/app/manifests/1`);
      await response.arrayBuffer();
      expect([404, 502, 503]).toContain(response.status);
      expect(response.headers.get('www-authenticate')).toBeNull();
    },
  );

  test('asked for one token with its credential, and used it for all of a repository', () => {
    const scopes = tokens.granted
      .filter(({ subject }) => subject === account.username)
      .map(({ scopes }) => scopes);
    expect(scopes).toEqual([['repository:team/app:pull']]);
  });

  test('serves it on while the upstreams are away', async () => {
    for (const registry of registries.values()) await registry.stop();
    for (const kind of kindsOfUpstream) {
      await expectServed(`${edge.url}/v2/${kind}.example/team/app`, '1', images[kind]);
    }
  });

  test('never wrote a password to its log', () => {
    expect(edge.output).not.toContain(account.password);
    expect(edge.output).not.toContain(
      Buffer.from(`${account.username}:${account.password}`).toString('base64'),
    );
  });
});

function labelled(label: string): ImageContent {
  return busyboxImage('oci', `behind ${label}`);
}

/** The image is pushed while the registry asks for nothing yet. */
async function startSeeded(options: RegistryOptions, image: ImageContent): Promise<Registry> {
  const open = await Registry.start({ folder: options.folder });
  try {
    await open.push('team/app:1', image);
  } finally {
    await open.stop();
  }
  return Registry.start(options);
}
