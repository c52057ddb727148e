import type { ConfigIo } from './config-io.ts';

export interface MemoryConfig {
  readonly env?: Readonly<Record<string, string>>;
  /** Text by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A working directory `/work`, and only the variables and files that are given. For tests. */
export function memoryConfigIo({ env = {}, files = {} }: MemoryConfig = {}): ConfigIo {
  return {
    env,
    workingDirectory: '/work',
    readText: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('not found'), { code: 'ENOENT' });
      return text;
    },
  };
}
