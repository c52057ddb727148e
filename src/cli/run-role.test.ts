import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { CliIo } from './cli-io.ts';
import { runRole, type RunningRole } from './run-role.ts';

function manualIo(): { readonly io: CliIo; readonly signal: () => void; readonly listening: () => boolean } {
  let listener: ((signal: string) => void) | undefined;
  const io: CliIo = {
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    onStopSignal: (given) => {
      listener = given;
      return () => (listener = undefined);
    },
  };
  return { io, signal: () => listener?.('SIGTERM'), listening: () => listener !== undefined };
}

const never = new Promise<void>(() => undefined);

function role(parts: Partial<RunningRole> = {}): RunningRole {
  return { stop: () => Promise.resolve(), exited: never, ...parts };
}

const quietly = (): void => undefined;

test('a signal stops the role, and that is success', async () => {
  const { io, signal, listening } = manualIo();
  let stopped = false;
  const running = role({ stop: async () => void (stopped = true) });
  const code = await runRole({ start: async () => running, started: signal }, io);
  expect([code, stopped, listening()]).toEqual([0, true, false]);
});

test('a signal during the start stops the role as soon as it runs', async () => {
  const { io, signal } = manualIo();
  let stopped = false;
  let announced = false;
  const start = async (): Promise<RunningRole> => {
    signal();
    return role({ stop: async () => void (stopped = true) });
  };
  expect(await runRole({ start, started: () => void (announced = true) }, io)).toBe(0);
  expect([stopped, announced]).toEqual([true, false]);
});

test('a second signal ends the wait for a role that does not stop', async () => {
  const { io, signal } = manualIo();
  const stop = (): Promise<void> => {
    signal();
    return never;
  };
  expect(await runRole({ start: async () => role({ stop }), started: signal }, io)).toBe(1);
});

test.each([
  ['a start that fails', () => Promise.reject(new Error('port in use')), /port in use/],
  ['a role that fails', async () => role({ exited: Promise.reject(new Error('disk gone')) }), /disk gone/],
  ['a role that ends unasked', async () => role({ exited: Promise.resolve() }), /without being asked/],
])('%s rejects', async (_, start, expected) => {
  const { io, listening } = manualIo();
  await expect(runRole({ start, started: quietly }, io)).rejects.toThrow(expected);
  expect(listening()).toBe(false);
});

test('a stop that fails rejects', async () => {
  const { io, signal } = manualIo();
  const stop = (): Promise<void> => Promise.reject(new Error('disk gone'));
  await expect(runRole({ start: async () => role({ stop }), started: signal }, io)).rejects.toThrow(
    'disk gone',
  );
});
