import { describe, expect, test } from 'vitest';
import { parseEdgeAddress } from '../edge-address.ts';
import { formatClientConfig, type ClientConfig } from './client-config.ts';
import { clientNames, clients, type ClientName } from './clients.ts';

const plain = 'http://10.0.0.5:5000';
const secure = 'https://edge.example.com';
const loopback = 'http://127.0.0.1:5000';

function make(
  client: ClientName,
  url: string,
  upstreams: readonly string[] = ['docker.io', 'ghcr.io'],
): ClientConfig {
  return clients[client](parseEdgeAddress(url)!, upstreams);
}

type Table = Record<string, unknown>;

/** Reads the part of TOML that clients' files use: tables, lists of tables, and strings, booleans, lists of strings. */
function toml(text: string): Table {
  const root: Table = {};
  let table = root;
  for (const line of text.split('\n').filter((line) => line.trim() !== '')) {
    const header = /^(\[\[?)(.+?)\]\]?$/.exec(line);
    if (header === null) {
      const [, key, value] = /^ *([a-z_-]+) = (.+)$/.exec(line)!;
      expect(table).not.toHaveProperty([key!]);
      table[key!] = JSON.parse(value!);
      continue;
    }
    const keys = header[2]!.match(/"[^"]+"|[^."]+/g)!.map((key) => key.replaceAll('"', ''));
    table = keys.reduce((parent, key, index) => {
      if (header[1] === '[[' && index === keys.length - 1)
        parent[key] = [...((parent[key] as Table[]) ?? []), {}];
      const child = (parent[key] ??= {}) as Table | Table[];
      return Array.isArray(child) ? child.at(-1)! : child;
    }, root);
  }
  return root;
}

describe('docker', () => {
  test('gets the mirror, and an http edge as insecure registry', () => {
    const [file] = make('docker', plain).files;
    expect(file?.path).toBe('/etc/docker/daemon.json');
    expect(JSON.parse(file!.content)).toEqual({
      'registry-mirrors': [plain],
      'insecure-registries': ['10.0.0.5:5000'],
    });
  });

  test.each([secure, loopback])('needs no exception for %s', (url) => {
    expect(JSON.parse(make('docker', url).files[0]!.content)).toEqual({ 'registry-mirrors': [url] });
  });

  test('is told the names for registries that it cannot mirror', () => {
    expect(make('docker', plain).steps).toContainEqual(
      expect.stringContaining('docker pull 10.0.0.5:5000/ghcr.io/'),
    );
  });

  test('gets no mirror without docker.io, since it would ask it for nothing else', () => {
    expect(JSON.parse(make('docker', plain, ['ghcr.io']).files[0]!.content)).toEqual({
      'insecure-registries': ['10.0.0.5:5000'],
    });
    expect(make('docker', secure, ['ghcr.io']).files).toEqual([]);
  });
});

describe('containerd', () => {
  test('gets a hosts.toml for each registry, with the registry itself to fall back on', () => {
    const { files } = make('containerd', plain, ['docker.io', 'registry.example.com:5000']);
    expect(files.map(({ path }) => path)).toEqual([
      '/etc/containerd/certs.d/docker.io/hosts.toml',
      '/etc/containerd/certs.d/registry.example.com:5000/hosts.toml',
    ]);
    const host = { [plain]: expect.objectContaining({ capabilities: ['pull', 'resolve'] }) };
    expect(toml(files[0]!.content)).toEqual({ server: 'https://registry-1.docker.io', host });
    expect(toml(files[1]!.content)).toEqual({ server: 'https://registry.example.com:5000', host });
  });

  test('keeps keys of the file apart from those of the host', () => {
    expect(make('containerd', plain).files[0]!.content).toMatch(/^server = /);
  });

  test('is told both forms of config_path', () => {
    const steps = make('containerd', plain).steps.join('\n');
    expect(steps).toContain('io.containerd.cri.v1.images');
    expect(steps).toContain('io.containerd.grpc.v1.cri');
  });
});

describe.each(['podman', 'crio'] as const)('%s', (client) => {
  test('gets a mirror whose location carries the registry as a path', () => {
    const [file] = make(client, plain).files;
    expect(file?.path).toBe('/etc/containers/registries.conf.d/50-wherry.conf');
    const mirror = (name: string): object => ({ location: `10.0.0.5:5000/${name}`, insecure: true });
    expect(toml(file!.content)).toEqual({
      registry: [
        { prefix: 'docker.io', location: 'docker.io', mirror: [mirror('docker.io')] },
        { prefix: 'ghcr.io', location: 'ghcr.io', mirror: [mirror('ghcr.io')] },
      ],
    });
  });

  test('is not made insecure for https', () => {
    expect(make(client, secure).files[0]!.content).not.toContain('insecure');
  });

  test('gets a host that cannot be taken for a repository of Docker Hub', () => {
    expect(make(client, 'http://edge').files[0]!.content).toContain('location = "edge:80/docker.io"');
  });
});

test('crio is told how to reload', () => {
  expect(make('crio', plain).steps).toContainEqual(expect.stringContaining('systemctl reload crio'));
});

describe('buildkit', () => {
  test('gets the edge as mirror of each registry, and http where it is', () => {
    expect(toml(make('buildkit', plain).files[0]!.content)).toEqual({
      registry: {
        'docker.io': { mirrors: ['10.0.0.5:5000'] },
        'ghcr.io': { mirrors: ['10.0.0.5:5000'] },
        '10.0.0.5:5000': { http: true },
      },
    });
  });

  test('gets no exception for https', () => {
    expect(toml(make('buildkit', secure).files[0]!.content)).toEqual({
      registry: {
        'docker.io': { mirrors: ['edge.example.com'] },
        'ghcr.io': { mirrors: ['edge.example.com'] },
      },
    });
  });
});

describe.each(clientNames)('%s', (client) => {
  test('is warned of an edge that nobody else reaches', () => {
    expect(make(client, loopback).steps.join('\n')).toContain('this machine only');
    expect(make(client, plain).steps.join('\n')).not.toContain('this machine only');
  });

  test('is told where an authority belongs for https only', () => {
    expect(make(client, secure).steps.join('\n')).toContain('authority of your own');
    expect(make(client, plain).steps.join('\n')).not.toContain('authority of your own');
  });

  test('is printed with the path before each file and the rest as comments', () => {
    const config = make(client, plain);
    const text = formatClientConfig(config);
    for (const { path, content } of config.files) expect(text).toContain(`# ${path}\n${content}\n`);
    for (const step of config.steps) expect(text).toContain(`\n# ${step}\n`);
  });
});
