import type { Machine } from './machine.ts';

/** What is special about a machine in a test. */
export interface MemoryMachine extends Partial<Machine> {
  /** Text by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A machine on which all is well, except for what is given. For tests. */
export function memoryMachine({ files = {}, ...special }: MemoryMachine = {}): Machine {
  return {
    nowMs: () => 0,
    disk: async () => ({ freeBytes: 50e9, totalBytes: 100e9, freeInodes: 1e6, totalInodes: 2e6 }),
    tryWriting: async () => undefined,
    holder: async () => undefined,
    tryListening: async () => undefined,
    listenerOf: async () => undefined,
    resolve: async () => ['192.0.2.1'],
    ask: async () => ({ status: 200, dateMs: 0 }),
    read: async (path) => files[path],
    list: async (folder) => {
      const below = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
      return [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''))];
    },
    ownHosts: () => ['localhost', '10.0.0.5'],
    ...special,
  };
}
