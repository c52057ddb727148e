import { describe, expect, it } from 'vitest';
import { Addressing, type Address } from './addressing.ts';

const addressing = new Addressing([
  { name: 'docker.io', hosts: ['docker.io', 'index.docker.io', 'registry-1.docker.io'] },
  { name: 'ghcr.io', hosts: ['ghcr.io'] },
  { name: 'registry.local:5443', hosts: ['registry.local:5443'] },
]);

const at = (name: string, more: Partial<Address> = {}): Address => ({
  host: '127.0.0.1:5000',
  namespace: undefined,
  name,
  ...more,
});

describe('addresses', () => {
  const table: [string, Address, string, string][] = [
    ['bare, as Docker mirrors ask', at('library/alpine'), 'docker.io', 'library/alpine'],
    ['bare, one segment', at('alpine'), 'docker.io', 'library/alpine'],
    ['bare, three segments', at('a/b/c'), 'docker.io', 'a/b/c'],
    ['path prefix', at('ghcr.io/owner/app'), 'ghcr.io', 'owner/app'],
    ['path prefix, one segment behind it', at('ghcr.io/app'), 'ghcr.io', 'app'],
    ['path prefix with a port', at('registry.local:5443/app'), 'registry.local:5443', 'app'],
    ['path prefix docker.io, one segment', at('docker.io/alpine'), 'docker.io', 'library/alpine'],
    ['a further name of an upstream', at('index.docker.io/library/alpine'), 'docker.io', 'library/alpine'],
    ['ns', at('owner/app', { namespace: 'ghcr.io' }), 'ghcr.io', 'owner/app'],
    ['ns in capitals', at('owner/app', { namespace: 'GHCR.io' }), 'ghcr.io', 'owner/app'],
    [
      'ns with docker.io, one segment',
      at('alpine', { namespace: 'docker.io' }),
      'docker.io',
      'library/alpine',
    ],
    ['ns and the same prefix', at('ghcr.io/owner/app', { namespace: 'ghcr.io' }), 'ghcr.io', 'owner/app'],
    [
      'ns before a different prefix',
      at('ghcr.io/app', { namespace: 'docker.io' }),
      'docker.io',
      'ghcr.io/app',
    ],
    ['host', at('owner/app', { host: 'ghcr.io' }), 'ghcr.io', 'owner/app'],
    ['host before ns', at('owner/app', { host: 'ghcr.io', namespace: 'docker.io' }), 'ghcr.io', 'owner/app'],
    ['no host at all', at('alpine', { host: undefined }), 'docker.io', 'library/alpine'],
  ];
  it.each(table)('%s', (_title, address, upstream, repository) => {
    expect(addressing.resolve(address)).toEqual({ upstream, repository });
  });
});

describe('refusals', () => {
  const table: [string, Address, string][] = [
    ['unlisted ns', at('library/alpine', { namespace: 'quay.io' }), 'NAME_UNKNOWN'],
    ['empty ns', at('library/alpine', { namespace: '' }), 'NAME_UNKNOWN'],
    ['a registry that is not configured', at('quay.io/owner/app'), 'NAME_UNKNOWN'],
    ['another port of a configured host', at('registry.local:5444/app'), 'NAME_UNKNOWN'],
    ['an address', at('127.0.0.1:80/app'), 'NAME_UNKNOWN'],
    ['a registry and nothing behind it', at('ghcr.io'), 'NAME_UNKNOWN'],
    ['capitals', at('Library/Alpine'), 'NAME_INVALID'],
    ['dot segments under a registry', at('ghcr.io/../x'), 'NAME_INVALID'],
    ['a name that is too long', at('a'.repeat(256)), 'NAME_INVALID'],
  ];
  it.each(table)('%s', (_title, address, code) => {
    expect(() => addressing.resolve(address)).toThrow(expect.objectContaining({ code }));
  });
});
