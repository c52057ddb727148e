import { once } from 'node:events';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { selfSigned, type Certificate } from '../../test/fakes/fake-listener.ts';
import { ListenError } from './listen-error.ts';
import type { RegistryAnswer } from './registry-service.ts';
import { startTestServer, type TestServer } from './testing/start-test-server.ts';
import type { ClientCertificates, TlsFiles } from './tls-files.ts';

const ok: RegistryAnswer = { status: 200, headers: {}, body: { kind: 'bytes', bytes: Buffer.from('ok') } };

let [server, renewed, client, stranger]: Certificate[] = [];
beforeAll(() => {
  [server, renewed, client, stranger] = [selfSigned(), selfSigned(), selfSigned(), selfSigned()];
});

async function start(files: TlsFiles): Promise<TestServer> {
  return startTestServer({ handle: () => ok, tls: files });
}

async function connect(to: TestServer, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = tls.connect({ port: to.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** The first answer on a connection; fails where it ends without one. */
async function ask(socket: TLSSocket): Promise<string> {
  socket.write('GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n');
  const [chunk] = (await Promise.race([
    once(socket, 'data'),
    once(socket, 'close').then(() => {
      throw new Error('closed');
    }),
  ])) as [Buffer];
  return chunk.toString().slice(0, 15);
}

function fingerprint(socket: TLSSocket): string {
  return socket.getPeerX509Certificate()?.toString() ?? '';
}

test('a new certificate is for new connections; the open ones go on', async () => {
  await using listener = await start(server!);
  const before = await connect(listener);
  expect(await ask(before)).toBe('HTTP/1.1 200 OK');
  listener.setTls(renewed!);
  const after = await connect(listener);
  expect(await ask(after)).toBe('HTTP/1.1 200 OK');
  expect(await ask(before)).toBe('HTTP/1.1 200 OK');
  expect([fingerprint(before), fingerprint(after)]).toEqual([server!.cert, renewed!.cert]);
});

test('a pair that does not match is refused, and the old one stays', async () => {
  await using listener = await start(server!);
  expect(() => listener.setTls({ cert: renewed!.cert, key: server!.key })).toThrow(/mismatch/);
  expect(fingerprint(await connect(listener))).toBe(server!.cert);
});

test('a listener does not open with a pair that does not match', async () => {
  const opening = start({ cert: server!.cert, key: renewed!.key });
  await expect(opening).rejects.toThrow(ListenError);
  await expect(opening).rejects.toThrow(/the key does not belong to the certificate/);
});

test.each(['before', 'after'] as const)('TLS 1.1 is not spoken %s a reload', async (when) => {
  await using listener = await start(server!);
  if (when === 'after') listener.setTls(renewed!);
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await expect(connect(listener, old)).rejects.toThrow(/protocol version|unsupported protocol/i);
  expect((await connect(listener, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
});

describe('client certificates', () => {
  const versions = ['TLSv1.2', 'TLSv1.3'] as const;
  const modes = ['require', 'request'] as const;
  const withClients = async (mode: ClientCertificates['mode']): Promise<TestServer> =>
    start({ ...server!, clients: { ca: client!.cert, mode } });
  const outcome = async (listener: TestServer, options: ConnectionOptions): Promise<string> =>
    connect(listener, options)
      .then(ask)
      .catch(() => 'turned away');

  for (const maxVersion of versions) {
    test.each(modes)(
      `%s serves a client with a certificate of the authority: ${maxVersion}`,
      async (mode) => {
        await using listener = await withClients(mode);
        expect(await outcome(listener, { ...client, maxVersion })).toBe('HTTP/1.1 200 OK');
      },
    );

    test.each(modes)(`%s turns away one of another authority: ${maxVersion}`, async (mode) => {
      await using listener = await withClients(mode);
      expect(await outcome(listener, { ...stranger, maxVersion })).toBe('turned away');
      listener.setTls({ ...renewed!, clients: { ca: client!.cert, mode } });
      expect(await outcome(listener, { ...stranger, maxVersion })).toBe('turned away');
      expect(await outcome(listener, { ...client, maxVersion })).toBe('HTTP/1.1 200 OK');
    });

    test(`only request serves a client without any: ${maxVersion}`, async () => {
      await using strict = await withClients('require');
      expect(await outcome(strict, { maxVersion })).toBe('turned away');
      await using lax = await withClients('request');
      expect(await outcome(lax, { maxVersion })).toBe('HTTP/1.1 200 OK');
    });
  }
});

describe('a connection on which nothing is said is closed', () => {
  test.each(['plain', 'TLS'] as const)('%s', async (kind) => {
    await using listener = await startTestServer({
      handle: () => ok,
      limits: { headersTimeoutMs: 100 },
      ...(kind === 'TLS' ? { tls: server! } : {}),
    });
    const socket = listener.connect();
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'close');
    expect(listener.exchanges.size).toBe(0);
  });

  test('also where some bytes of a handshake came', async () => {
    await using listener = await startTestServer({
      handle: () => ok,
      limits: { headersTimeoutMs: 100 },
      tls: server!,
    });
    const socket = listener.connect();
    socket.on('error', () => undefined);
    socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
    socket.resume();
    await once(socket, 'close');
  });
});

test('one address can have so many connections; a flood of them is one line in the log', async () => {
  await using listener = await startTestServer({ handle: () => ok, limits: { maxConnectionsPerAddress: 2 } });
  const first = await fetchOn(listener);
  const second = await fetchOn(listener);
  for (let round = 0; round < 5; round += 1) await expect(fetchOn(listener)).rejects.toThrow(/closed/);
  expect(listener.log.lines.map(({ message }) => message)).toEqual([
    'connection refused: too many from one address',
  ]);
  for (const socket of [first, second]) {
    socket.destroy();
  }
  await expectSoon(async () => fetchOn(listener));
});

test('over TLS too an address gets its connections back, whoever closes them', async () => {
  await using listener = await startTestServer({
    handle: () => ok,
    limits: { maxConnectionsPerAddress: 1 },
    tls: server!,
  });
  const useOne = async (end: (socket: TLSSocket) => Promise<unknown>): Promise<void> => {
    const socket = await connect(listener);
    socket.on('error', () => undefined);
    await ask(socket);
    await expect(connect(listener)).rejects.toThrow();
    await end(socket);
  };
  for (let round = 0; round < 3; round += 1) {
    await expectSoon(async () => useOne(async (socket) => socket.destroy()));
    await expectSoon(async () => useOne(async (socket) => socket.end()));
    await expectSoon(async () => useOne(closedByServer));
  }
});

async function closedByServer(socket: TLSSocket): Promise<void> {
  socket.resume();
  socket.write('GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await once(socket, 'close');
}

async function fetchOn(listener: TestServer): Promise<{ destroy(): void }> {
  const socket = listener.connect();
  socket.on('error', () => undefined);
  socket.write('GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n');
  await Promise.race([
    once(socket, 'data'),
    new Promise((_, reject) => socket.once('close', () => reject(new Error('closed')))),
  ]);
  return socket;
}

/** The server learns of a closed connection in its own time. */
async function expectSoon(action: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await action();
      return;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
