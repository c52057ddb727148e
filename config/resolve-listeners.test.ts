import { beforeAll, describe, expect, test } from 'vitest';
import { selfSigned, type Certificate } from '../test/fakes/fake-listener.ts';
import type { EdgeConfig } from './edge-schema.ts';
import { formatEdgeConfig } from './format-edge-config.ts';
import { loadEdgeConfig } from './load-edge-config.ts';
import { memoryConfigIo } from './memory-config-io.ts';
import { ConfigError } from './problems.ts';

let one: Certificate;
let other: Certificate;
beforeAll(() => {
  [one, other] = [selfSigned(), selfSigned()];
});

function load(yaml: string): EdgeConfig {
  const io = memoryConfigIo({
    files: {
      '/work/edge.yaml': yaml,
      '/work/one.pem': one.cert,
      '/work/one.key': one.key,
      '/work/other.key': other.key,
    },
  });
  return loadEdgeConfig({ configFile: 'edge.yaml', flags: {} }, io);
}

function problems(yaml: string): readonly string[] {
  try {
    load(yaml);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

const whole = `
listen: 127.0.0.1:5000
tls: {cert: one.pem, key: one.key, clientCa: one.pem, clientCert: request}
listeners:
  - {listen: '127.0.0.1:5443', defaultUpstream: quay.io, tls: {cert: one.pem, key: one.key, clientCa: one.pem}}
  - {listen: '[::1]:5000', mode: mirror}
upstreams: [{name: docker.io}, {name: quay.io}]
`;

test('further listeners have their own default upstream and TLS', () => {
  const { tls, listeners } = load(whole);
  expect(tls).toEqual({
    cert: '/work/one.pem',
    key: '/work/one.key',
    clientCa: '/work/one.pem',
    clientCert: 'request',
  });
  expect(listeners).toEqual([
    {
      listen: { host: '127.0.0.1', port: 5443 },
      mode: 'mirror',
      defaultUpstream: 'quay.io',
      tls: {
        cert: '/work/one.pem',
        key: '/work/one.key',
        clientCa: '/work/one.pem',
        clientCert: 'require',
      },
    },
    { listen: { host: '::1', port: 5000 }, mode: 'mirror' },
  ]);
});

test('what is printed means the same', () => {
  const config = load(whole);
  expect(load(formatEdgeConfig(config))).toEqual(config);
});

describe('is refused', () => {
  test.each([
    [
      'listeners: [{listen: "0.0.0.0:5000"}]',
      'listeners[0].listen: is the address of listen: give it another port',
    ],
    ['listeners: [{listen: ":1"}]', 'listeners[0].listen: expected HOST:PORT'],
    ['listeners: [{}]', 'listeners[0].listen: is required'],
    [
      'listeners: [{listen: "a:1"}, {listen: "a:1"}]',
      'listeners[1].listen: is the address of listeners[0]: give it another port',
    ],
    ['listeners: [{listen: "a:1", mode: token}]', 'listeners[0].mode: expected mirror, got "token"'],
    [
      'listeners: [{listen: "a:1", defaultUpstream: ghcr.oi}]',
      'listeners[0].defaultUpstream: is none of the upstreams; did you mean "ghcr.io"?',
    ],
    ['tls: {cert: one.pem, key: other.key}', 'tls.key: does not belong to the certificate in /work/one.pem'],
    [
      'tls: {cert: one.pem, key: one.key, clientCert: require}',
      'tls.clientCert: has no effect without clientCa',
    ],
    [
      'tls: {cert: one.pem, key: one.key, clientCa: nowhere.pem}',
      'tls.clientCa: cannot read /work/nowhere.pem: no such file',
    ],
    [
      'listeners: [{listen: "a:1", tls: {cert: one.pem, key: gone.key}}]',
      'listeners[0].tls.key: cannot read /work/gone.key: no such file',
    ],
    ['listeners: [{listen: "a:1", tls: {cert: one.pem}}]', 'listeners[0].tls.key: is required'],
  ])('%s', (yaml, message) => {
    const found = problems(yaml);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });
});
