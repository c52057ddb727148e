import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { OciError } from '../oci/error.ts';
import { MemoryContent, patternBytes } from './testing/memory-content.ts';
import { parseMultipart } from './testing/parse-multipart.ts';
import { startTestServer, type TestServer } from './testing/start-test-server.ts';

const [KiB, MiB] = [1024, 1024 * 1024];

async function serve(content: MemoryContent, limits = {}): Promise<TestServer> {
  return startTestServer({
    handle: () => ({ status: 200, headers: {}, body: { kind: 'blob', content } }),
    limits,
  });
}

const path = `/v2/team/app/blobs/sha256:${'0'.repeat(64)}`;
const get = `GET ${path} HTTP/1.1\r\nHost: a\r\n`;

describe('whole blobs of all sizes', () => {
  test.each([0, 1, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 3 * MiB + 7])('%i bytes', async (size) => {
    const content = new MemoryContent(patternBytes(size));
    await using server = await serve(content);
    const response = await fetch(server.url + path);
    const body = Buffer.from(await response.arrayBuffer());
    expect(body.equals(content.bytes)).toBe(true);
    expect(response.headers.get('content-length')).toBe(String(size));
    expect(content.closed).toBe(content.opened.length);
    expect(server.buffers.lentBytes).toBe(0);
    expect((await server.accessLog.line(0)).fields).toMatchObject({ status: 200, bytes: size });
  });
});

describe('ranges through the whole stack', () => {
  const content = new MemoryContent(patternBytes(2000));

  test.each([
    ['bytes=500-1499', 500, 1500],
    ['bytes=500-', 500, 2000],
    ['bytes=-500', 1500, 2000],
    ['bytes=1500-5000', 1500, 2000],
  ])('%s', async (range, start, end) => {
    await using server = await serve(content);
    const response = await fetch(server.url + path, { headers: { range } });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/2000`);
    expect(response.headers.get('content-length')).toBe(String(end - start));
    expect(Buffer.from(await response.arrayBuffer())).toEqual(content.bytes.subarray(start, end));
  });

  test.each(['bytes=2000-5000', 'bytes=500-0'])('%s is 416', async (range) => {
    await using server = await serve(content);
    const response = await fetch(server.url + path, { headers: { range } });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */2000');
  });

  test('several of them come as parts, with an exact length', async () => {
    const large = new MemoryContent(patternBytes(MiB));
    await using server = await serve(large);
    const response = await fetch(server.url + path, {
      headers: { range: 'bytes=0-9, 1000-299999 ,-3,700000-' },
    });
    const body = Buffer.from(await response.arrayBuffer());
    expect(response.status).toBe(206);
    expect(response.headers.get('content-length')).toBe(String(body.length));
    const parts = parseMultipart(response.headers.get('content-type')!, body.toString('latin1'));
    expect(parts.map((part) => part.range)).toEqual([
      'bytes 0-9/1048576',
      'bytes 1000-299999/1048576',
      'bytes 1048573-1048575/1048576',
      'bytes 700000-1048575/1048576',
    ]);
    const spans = [
      [0, 10],
      [1000, 300_000],
      [1_048_573, MiB],
      [700_000, MiB],
    ] as const;
    expect(parts.map((part) => part.bytes === '')).toEqual([false, false, false, false]);
    for (const [index, [start, end]] of spans.entries()) {
      expect(parts[index]!.bytes === large.bytes.toString('latin1', start, end)).toBe(true);
    }
    expect(large.closed).toBe(4);
  });

  test('64 ranges are answered, 65 are not', async () => {
    await using server = await serve(content);
    const ranges = Array.from({ length: 65 }, (_, i) => `${i * 3}-${i * 3 + 1}`);
    const fits = await fetch(server.url + path, {
      headers: { range: `bytes=${ranges.slice(0, 64).join(',')}` },
    });
    expect(parseMultipart(fits.headers.get('content-type')!, await fits.text())).toHaveLength(64);
    const refused = await fetch(server.url + path, { headers: { range: `bytes=${ranges.join(',')}` } });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ errors: [{ code: 'REQUEST_INVALID' }] });
  });
});

describe('a source that fails', () => {
  test('before its first byte is answered with an error', async () => {
    const content = new MemoryContent(patternBytes(200 * KiB));
    content.beforeRead = () => {
      throw new OciError('BLOB_UNKNOWN');
    };
    await using server = await serve(content);
    const response = await fetch(server.url + path);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] });
    expect(content.closed).toBe(1);
  });

  test.each(['1.1', '1.0'])('in the middle cuts the connection (HTTP/%s)', async (version) => {
    const content = new MemoryContent(patternBytes(MiB));
    content.maxRead = 64 * KiB;
    content.beforeRead = (position) => {
      if (position >= 512 * KiB) throw new Error('disk');
    };
    await using server = await serve(content);
    const text = await server.exchange(get.replace('1.1', version) + '\r\n');
    const [head = '', body = ''] = text.split('\r\n\r\n', 2);
    expect(head).toContain('Content-Length: 1048576');
    expect(body.length).toBeLessThan(MiB);
    expect(content.closed).toBe(1);
    expect(server.buffers.lentBytes).toBe(0);
    expect((await server.accessLog.line(0)).fields).toMatchObject({ status: 200, aborted: true });
    expect(server.log.lines).toContainEqual(expect.objectContaining({ message: 'answer broken off' }));
  });

  test('that is shorter than asked for never ends cleanly', async () => {
    const content = new MemoryContent(patternBytes(MiB));
    content.beforeRead = (position) => {
      if (position > 0) content.maxRead = 0;
    };
    await using server = await serve(content);
    await expect(fetch(server.url + path).then((response) => response.arrayBuffer())).rejects.toThrow();
  });
});

describe('a client that goes away', () => {
  test('while the source waits: the read ends and the source is closed', async () => {
    const content = new MemoryContent(patternBytes(MiB));
    const reading = Promise.withResolvers<void>();
    content.beforeRead = (position) => {
      if (position === 0) return undefined;
      reading.resolve();
      return new Promise(() => undefined);
    };
    await using server = await serve(content);
    const socket = server.connect();
    socket.write(`${get}\r\n`);
    await once(socket, 'data');
    await reading.promise;
    socket.destroy();
    expect((await server.accessLog.line(0)).fields).toMatchObject({ status: 200, aborted: true });
    await server.clock.advance(0);
    expect(content.closed).toBe(1);
    expect(server.buffers.lentBytes).toBe(0);
    expect(server.log.lines).toEqual([]);
  });

  test('while its bytes are being written', async () => {
    const content = new MemoryContent(patternBytes(32 * MiB));
    await using server = await serve(content);
    const socket = server.connect();
    socket.write(`${get}\r\n`);
    await once(socket, 'data');
    socket.pause();
    socket.resetAndDestroy();
    expect((await server.accessLog.line(0)).fields).toMatchObject({ aborted: true });
    await server.clock.advance(0);
    expect(content.closed).toBe(1);
    expect(server.buffers.lentBytes).toBe(0);
  });

  test('before the answer began: the signal aborts, the log says 499', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    await using server = await startTestServer({
      handle: async ({ signal }) => {
        asked.resolve(signal);
        await once(signal, 'abort');
        throw signal.reason;
      },
    });
    const socket = server.connect();
    socket.write(`${get}\r\n`);
    const signal = await asked.promise;
    socket.destroy();
    expect((await server.accessLog.line(0)).fields).toMatchObject({ status: 499, aborted: true });
    expect(signal.reason).toMatchObject({ code: 'REQUEST_ABORTED' });
    await server.clock.advance(0);
    expect(server.log.lines.filter((line) => line.level !== 'debug')).toEqual([]);
  });

  test('a source opened after it left is closed', async () => {
    const content = new MemoryContent(patternBytes(MiB));
    const opening = Promise.withResolvers<void>();
    const opened = content.open.bind(content);
    const asked = Promise.withResolvers<void>();
    content.open = async (wanted) => {
      asked.resolve();
      await opening.promise;
      return opened(wanted);
    };
    await using server = await serve(content);
    const socket = server.connect();
    socket.write(`${get}\r\n`);
    await asked.promise;
    socket.destroy();
    await server.accessLog.line(0);
    opening.resolve();
    await server.clock.advance(0);
    expect(content.closed).toBe(1);
  });
});

test.each([1, 64 * KiB + 1, 3 * MiB])(
  'a client that leaves with all %i bytes while the source is being closed did not give up',
  async (size) => {
    const content = new MemoryContent(patternBytes(size));
    const left = Promise.withResolvers<void>();
    content.beforeClosed = () => left.promise;
    await using server = await serve(content);
    const socket = server.connect();
    socket.write(`${get}Connection: close\r\n\r\n`);
    let received = '';
    socket.setEncoding('latin1');
    for await (const text of socket) {
      received += String(text);
      if (received.length - received.indexOf('\r\n\r\n') - 4 === size) break;
    }
    const line = await server.accessLog.line(0);
    left.resolve();
    expect(line.fields).toMatchObject({ status: 200, bytes: size });
    expect(line.fields).not.toHaveProperty('aborted');
  },
);

test('a client that takes nothing for too long is cut off, one that waits for us is not', async () => {
  const stalled = new MemoryContent(patternBytes(32 * MiB));
  await using server = await serve(stalled, { clientStallTimeoutMs: 100 });
  const socket = server.connect();
  socket.write(`${get}\r\n`);
  await once(socket, 'data');
  socket.pause();
  expect((await server.accessLog.line(0)).fields).toMatchObject({ aborted: true });
  expect(stalled.closed).toBe(1);
  socket.destroy();

  const waiting = new MemoryContent(patternBytes(200 * KiB));
  // Longer than the timeout in real time: the socket's timer is node's own.
  waiting.beforeRead = () => new Promise((resolve) => setTimeout(resolve, 250));
  await using patient = await serve(waiting, { clientStallTimeoutMs: 100 });
  const response = await fetch(patient.url + path);
  expect((await response.arrayBuffer()).byteLength).toBe(200 * KiB);
});
