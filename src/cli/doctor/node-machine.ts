import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile, readlink, rename, statfs, unlink } from 'node:fs/promises';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { createServer } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { DataFolderError } from '../../base/data-folder-error.ts';
import { DataLock } from '../../base/data-lock.ts';
import { nodeDiskFiles } from '../../base/disk-files.ts';
import { codeOf, type AskOptions, type DiskState, type HttpReply, type Machine } from './machine.ts';

const askTimeoutMs = 10_000;
const maxProcesses = 5_000;

/** The machine that this process runs on. */
export const nodeMachine: Machine = {
  nowMs: () => systemClock.nowMs(),
  disk,
  tryWriting,
  holder,
  tryListening,
  listenerOf,
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  ask,
  read: async (path) => orAbsent(readFile(path, 'utf8'), undefined),
  list: async (folder) => orAbsent(readdir(folder), []),
  ownHosts: () => {
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    return [
      'localhost',
      hostname(),
      ...addresses.map(({ address }) => (address.includes(':') ? `[${address}]` : address)),
    ];
  },
};

async function disk(path: string): Promise<DiskState> {
  try {
    const { bsize, blocks, bavail, files, ffree } = await statfs(path);
    return { freeBytes: bsize * bavail, totalBytes: bsize * blocks, freeInodes: ffree, totalInodes: files };
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return disk(dirname(path));
  }
}

async function tryWriting(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [before, after] = [join(folder, `doctor-${randomUUID()}`), join(folder, `doctor-${randomUUID()}`)];
  const file = await open(before, 'wx', 0o600);
  try {
    await file.writeFile('wherry doctor\n');
    await file.sync();
    await rename(before, after);
  } finally {
    await file.close();
    await Promise.allSettled([unlink(before), unlink(after)]); // one of the two is not there
  }
}

async function holder(folder: string): Promise<string | undefined> {
  try {
    await (await DataLock.acquire(nodeDiskFiles, folder)).release();
    return undefined;
  } catch (error) {
    if (!(error instanceof DataFolderError) || error.code !== 'DATA_FOLDER_LOCKED') throw error;
    return error.message.replace(/^.* is in use by /, '');
  }
}

async function tryListening(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/** By the kernel's table of sockets and the open files of the processes that this user may look into. */
async function listenerOf(port: number): Promise<string | undefined> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map(async (name) => orAbsent(readFile(`/proc/net/${name}`, 'utf8'), '')),
  );
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = tables
    .flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)))
    .filter(([, address, , state]) => state === '0A' && address?.endsWith(local) === true)
    .map((columns) => `socket:[${columns[9] ?? ''}]`);
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of processes.slice(0, maxProcesses)) {
    // Those of other users cannot be read, and any may end meanwhile.
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(
      files.map(async (file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')),
    );
    if (!links.some((link) => inodes.includes(link))) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    return `process ${pid} (${name.trim()})`;
  }
  return undefined;
}

async function ask(url: string, { ca, insecure = false }: AskOptions): Promise<HttpReply> {
  const signal = AbortSignal.timeout(askTimeoutMs);
  const request = url.startsWith('https:')
    ? httpsGet(url, {
        signal,
        agent: false,
        rejectUnauthorized: !insecure,
        ...(ca === undefined ? {} : { ca }),
      })
    : httpGet(url, { signal, agent: false });
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error('no answer');
  response.on('error', () => undefined); // the body does not matter
  response.destroy();
  const dateMs = Date.parse(response.headers.date ?? '');
  return { status: response.statusCode ?? 0, dateMs: Number.isNaN(dateMs) ? undefined : dateMs };
}

async function orAbsent<Value>(reading: Promise<Value>, absent: Value): Promise<Value>;
async function orAbsent<Value>(reading: Promise<Value>, absent: undefined): Promise<Value | undefined>;
async function orAbsent<Value>(
  reading: Promise<Value>,
  absent: Value | undefined,
): Promise<Value | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return absent;
    throw error;
  }
}
