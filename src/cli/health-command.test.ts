import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { exitCodes } from './exit-code.ts';
import { runCli } from './run-cli.ts';

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
  vi.unstubAllEnvs();
});

/** Something that answers every request so, on a loopback port, which is returned. */
async function answering(status: number, body: string): Promise<number> {
  server = createServer((request, response) => {
    response.statusCode = request.url === '/readyz' ? status : 404;
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function health(adminListen: string) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdout, stderr, onStopSignal: () => () => undefined };
  const code = await runCli(['health', '--admin-listen', adminListen], io);
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

test.each(['127.0.0.1', '0.0.0.0', 'localhost'])('an edge that listens on %s and is ready', async (host) => {
  // Without it an edge does not start on every address; readiness is told to whoever asks.
  vi.stubEnv('WHERRY_ADMIN_TOKEN', 'a-token-of-some-length');
  const port = await answering(200, '{"status":"ready"}');
  expect(await health(`${host}:${port}`)).toEqual({ code: exitCodes.ok, stdout: 'ready\n', stderr: '' });
});

test('an edge that is draining: fails, and shows its answer', async () => {
  const port = await answering(503, '{"status":"draining"}');
  const stderr = `wherry: http://127.0.0.1:${port}/readyz: 503: {"status":"draining"}\n`;
  expect(await health(`127.0.0.1:${port}`)).toEqual({ code: exitCodes.failure, stdout: '', stderr });
});

test('no edge: fails, and says why', async () => {
  const { code, stderr } = await health('127.0.0.1:1');
  expect([code, stderr]).toEqual([exitCodes.failure, expect.stringContaining('ECONNREFUSED')]);
});
