import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { MemoryContent, patternBytes } from './testing/memory-content.ts';
import type { RegistryAnswer } from './registry-service.ts';
import { readToEnd, startTestServer, type TestServerOptions } from './testing/start-test-server.ts';

const ok: RegistryAnswer = { status: 200, headers: {}, body: { kind: 'bytes', bytes: Buffer.from('ok') } };
const options: TestServerOptions = { handle: () => ok };
const get = 'GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n';

describe('what the parser refuses is answered plainly, closed, and hurts nobody else', () => {
  test.each([
    [
      'Content-Length and Transfer-Encoding',
      'POST /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'two Content-Length',
      'POST /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
      400,
    ],
    [
      'an unknown Transfer-Encoding',
      'POST /v2/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a folded header', 'GET /v2/ HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n', 400],
    ['bare LF', 'GET /v2/ HTTP/1.1\nHost: a\n\n', 400],
    ['a space before the colon', 'GET /v2/ HTTP/1.1\r\nHost : a\r\n\r\n', 400],
    ['no Host', 'GET /v2/ HTTP/1.1\r\n\r\n', 400],
    ['a control character', 'GET /v2/\u0001 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000', 400],
    ['64 KB of header', `GET /v2/ HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(65_536)}\r\n\r\n`, 431],
    ['a long request line', `GET /v2/${'x'.repeat(65_536)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ])('%s', async (_, text, status) => {
    await using server = await startTestServer(options);
    const answer = await server.exchange(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\n`));
    expect(answer).toContain('Connection: close');
    expect((await fetch(`${server.url}/v2/`)).status).toBe(200);
  });

  test('a head that does not come to its end', async () => {
    await using server = await startTestServer({ ...options, limits: { headersTimeoutMs: 100 } });
    expect(await server.exchange('GET /v2/ HTTP/1.1\r\nHost:')).toMatch(/^HTTP\/1.1 408 /);
  });

  test('garbage behind a request whose answer is under way cuts the connection and adds nothing to it', async () => {
    const content = new MemoryContent(patternBytes(1024 * 1024));
    content.maxRead = 64 * 1024;
    const stuck = Promise.withResolvers<void>();
    content.beforeRead = (position) => (position === 0 ? undefined : stuck.promise);
    await using server = await startTestServer({
      handle: () => ({ status: 200, headers: {}, body: { kind: 'blob', content } }),
    });
    const socket = server.connect();
    const all = readToEnd(socket);
    socket.write(get);
    await once(socket, 'data');
    socket.write('garbage\r\n\r\n');
    expect((await all).match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(content.closed).toBe(1);
  });
});

describe('bodies that nobody reads', () => {
  const put = 'PUT /v2/a/manifests/x HTTP/1.1\r\nHost: a\r\n';

  test('a small one is thrown away and the connection goes on', async () => {
    await using server = await startTestServer(options);
    const text = await server.exchange(
      `${put}Content-Length: 5\r\n\r\nhello${get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`,
    );
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  test.each(['Content-Length: 5000000000', 'Transfer-Encoding: chunked'])(
    'of one with %s little is read, and the client gets its answer',
    async (field) => {
      await using server = await startTestServer(options);
      const socket = server.connect();
      const all = readToEnd(socket);
      socket.write(`${put}${field}\r\n\r\n`);
      const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')]);
      const send = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on('drain', send);
      send();
      const text = await all;
      expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
      expect(text).toContain('Connection: close');
      expect(text.endsWith('\r\n\r\nok')).toBe(true);
      expect(socket.bytesWritten).toBeLessThan(64 * 1024 * 1024);
    },
  );

  test('a client that sends nothing more is let go after a while', async () => {
    await using server = await startTestServer(options);
    const socket = server.connect();
    const all = readToEnd(socket);
    socket.write(`${put}Content-Length: 5000000000\r\n\r\n`);
    await once(socket, 'data');
    await server.clock.advance(1000);
    expect(await all).toContain('\r\n\r\nok');
  });

  test('a client that waits for 100 Continue gets the answer instead', async () => {
    await using server = await startTestServer(options);
    const text = await server.exchange(`${put}Content-Length: 5000000000\r\nExpect: 100-continue\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(text).toContain('Connection: close');
  });
});

describe('draining', () => {
  test('closes idle and fresh connections and resolves', async () => {
    await using server = await startTestServer(options);
    const [idle, fresh] = [server.connect(), server.connect()];
    await once(fresh, 'connect');
    idle.write(get);
    await once(idle, 'data');
    const ends = [readToEnd(idle), readToEnd(fresh)];
    await server.close(60_000);
    expect(await Promise.all(ends)).toEqual(['', '']);
  });

  test('lets a running answer end, with Connection: close, and takes no new connection', async () => {
    const gate = Promise.withResolvers<RegistryAnswer>();
    const asked = Promise.withResolvers<void>();
    await using server = await startTestServer({
      handle: () => {
        asked.resolve();
        return gate.promise;
      },
    });
    const socket = server.connect();
    const all = readToEnd(socket);
    socket.write(get);
    await asked.promise;
    const closed = server.close(60_000);
    const [refused] = (await once(server.connect(), 'error')) as [NodeJS.ErrnoException];
    expect(refused.code).toBe('ECONNREFUSED');
    gate.resolve(ok);
    await closed;
    expect(await all).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Connection: close\r\n[^]*ok$/);
  });

  test('destroys what is left when its time is over', async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await startTestServer({
      handle: () => {
        asked.resolve();
        return new Promise(() => undefined);
      },
    });
    const all = readToEnd(write(server.connect(), get));
    await asked.promise;
    const closed = server.close(5000);
    await server.clock.advance(4999);
    expect(server.exchanges.size).toBe(1);
    await server.clock.advance(1);
    await closed;
    expect(await all).toBe('');
    expect(server.log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { listener: 'test', answers: 1 } }),
    );
  });
});

test('a port that is taken is named, with the remedy', async () => {
  await using server = await startTestServer(options);
  await expect(startTestServer({ ...options, port: server.port })).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: expect.stringMatching(`test listener on 127.0.0.1:${server.port}: another process .*EADDRINUSE`),
  });
});

test('connections beyond the limit are closed', async () => {
  await using server = await startTestServer({ ...options, limits: { maxConnections: 1 } });
  const first = server.connect();
  await once(first, 'connect');
  expect(await readToEnd(server.connect())).toBe('');
  first.write(get);
  await once(first, 'data');
  first.destroy();
  expect(server.log.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
});

test('pipelined requests are answered in order', async () => {
  let count = 0;
  await using server = await startTestServer({
    handle: async () => {
      count += 1;
      const bytes = Buffer.from(`answer ${count}`);
      if (count === 1) await new Promise((resolve) => setImmediate(resolve));
      return { status: 200, headers: {}, body: { kind: 'bytes', bytes } };
    },
  });
  const last = get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  const text = await server.exchange(get + get + last);
  expect(text.match(/answer \d/g)).toEqual(['answer 1', 'answer 2', 'answer 3']);
});

function write(socket: Socket, text: string): Socket {
  socket.write(text);
  return socket;
}
